import { expect, test } from 'vitest'
import { entry } from '../../../src/attacks/evasion/mi-fgsm.ts'
import type { Options } from '../../../src/attacks/attack.ts'
import type { WhiteBoxAccess } from '../../../src/core/classifier.ts'
import * as tf from '../../../src/core/tf.ts'
import { attackContract, attackRows, away, towards } from './contract.ts'
import { linearModel } from './linear.ts'

/** A victim whose gradients are dictated, one a step. */
function scripted(...gradients: number[][]): WhiteBoxAccess {
  let step = 0
  const never = () => Promise.reject(new Error('not asked for'))
  return {
    inputShape: [2],
    numClasses: 2,
    bounds: [0, 1],
    logits: never,
    vjp: never,
    lossAndGradient: async () => ({ loss: tf.zeros([1]), gradient: tf.tensor([gradients[step++]!]) }),
  }
}
const start = [[0.5, 0.5]]
const options: Options = { epsilon: 0.3, stepSize: 0.1, steps: 2, decay: 1, norm: 'linf' }
const isAt = (got: number[][], x0: number, x1: number) => {
  expect(got[0]![0]).toBeCloseTo(x0, 6)
  expect(got[0]![1]).toBeCloseTo(x1, 6)
}

attackContract(
  {
    entry,
    quick: { epsilon: 0.2, stepSize: 0.06, steps: 5 },
    moves: {
      epsilon: { to: 0.1 },
      stepSize: { to: 0.02 },
      steps: { to: 2 },
      decay: { to: 0, beside: { steps: 8, epsilon: 0.5 } },
      norm: { to: 'l2' },
      collects: { to: 'signs', beside: { steps: 8, epsilon: 0.5, decay: 0.5 } },
    },
  },
  () => {
    // A short gradient, then a long one. Of L1 length 1: (0.75, −0.25) and (−0.5, −0.5).
    const bend = [
      [0.3, -0.1],
      [-4, -4],
    ]

    test('momentum weighs gradients of equal length: 0.75 − 0.5 still points up', async () => {
      isAt(await attackRows(entry, scripted(...bend), start, away(0), options), 0.7, 0.3)
    })

    test('without decay the newest gradient decides alone', async () => {
      isAt(await attackRows(entry, scripted(...bend), start, away(0), { ...options, decay: 0 }), 0.5, 0.3)
    })

    test('of signs, 1 − 1 cancels and the pixel rests', async () => {
      isAt(
        await attackRows(entry, scripted(...bend), start, away(0), { ...options, collects: 'signs' }),
        0.6,
        0.3,
      )
    })

    test('towards a target it goes the other way', async () => {
      isAt(await attackRows(entry, scripted(...bend), start, towards(0), options), 0.3, 0.7)
    })

    test('L2 steps along the momentum by the step size', async () => {
      const side = 0.1 / Math.hypot(3, 1)
      isAt(
        await attackRows(entry, scripted([3, -1]), start, away(0), { ...options, norm: 'l2', steps: 1 }),
        0.5 + 3 * side,
        0.5 - side,
      )
    })

    test.each(['linf', 'l2'])('never leaves the budget in %s', async (norm) => {
      const victim = linearModel(2, 2, [1, 0, 0, 1])
      const [row] = await attackRows(entry, victim, [[0.6, 0.4]], away(0), {
        epsilon: 0.1,
        stepSize: 0.06,
        steps: 7,
        norm,
      })
      const delta = [row![0]! - 0.6, row![1]! - 0.4].map(Math.abs)
      expect(norm === 'linf' ? Math.max(...delta) : Math.hypot(...delta)).toBeCloseTo(0.1, 6)
      expect(await attackRows(entry, victim, [[0.25, 0.5]], away(0), { epsilon: 0, norm })).toEqual([
        [0.25, 0.5],
      ])
      victim.dispose()
    })

    test('more budget is no worse on a linear model', async () => {
      const victim = linearModel(3, 2, [2, -1, -1, 1, 0.5, -2])
      let last = Infinity
      for (const epsilon of [0, 0.05, 0.1, 0.2, 0.4]) {
        const [row] = await attackRows(entry, victim, [[0.5, 0.5, 0.5]], away(0), {
          epsilon,
          steps: 6,
          stepSize: 0.1,
        })
        const lead = 3 * row![0]! - 2 * row![1]! + 2.5 * row![2]!
        expect(lead).toBeLessThanOrEqual(last + 1e-6)
        last = lead
      }
      victim.dispose()
    })

    test('goes on with an image that is misread already, within the budget', async () => {
      const victim = linearModel(2, 2, [1, 0, 0, 1])
      isAt(await attackRows(entry, victim, [[0.3, 0.7]], away(0), { epsilon: 0.1, stepSize: 0.05 }), 0.2, 0.8)
      isAt(
        await attackRows(entry, victim, [[0.3, 0.7]], towards(1), { epsilon: 0.1, stepSize: 0.05 }),
        0.2,
        0.8,
      )
      victim.dispose()
    })

    test.each<[string, Options, RegExp]>([
      ['a step that goes nowhere', { stepSize: 0 }, /mi-fgsm: stepSize must be positive; got 0/],
      ['no steps', { steps: 0 }, /mi-fgsm: steps must be a whole number of at least 1; got 0/],
    ])('refuses %s', async (_, wrong, message) => {
      await expect(attackRows(entry, scripted(), start, away(0), wrong)).rejects.toThrow(message)
    })
  },
)
