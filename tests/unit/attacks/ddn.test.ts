import { expect, test } from 'vitest'
import { entry } from '../../../src/attacks/evasion/ddn.ts'
import type { Options } from '../../../src/attacks/attack.ts'
import * as tf from '../../../src/core/tf.ts'
import { attackContract, attackRows, away, towards } from './contract.ts'
import { linearModel } from './linear.ts'

attackContract(
  {
    entry,
    quick: { steps: 20 },
    moves: { steps: { to: 8 }, startRadius: { to: 0.3 }, radiusChange: { to: 0.2 } },
    staysWithin: 0,
  },
  () => {
    // Logits (x₀, x₁) at (0.6, 0.4): the border x₀ = x₁ is 0.2/√2 away, and every gradient points at it.
    const run = async (options: Options, criterion = away(0), rows = [[0.6, 0.4]], seed = 1) => {
      const victim = linearModel(2, 2, [1, 0, 0, 1])
      return attackRows(entry, victim, rows, criterion, options, { seed }).finally(() => victim.dispose())
    }
    const lengthOf = ([row]: number[][]) => Math.hypot(row![0]! - 0.6, row![1]! - 0.4)

    test('the sphere grows by γ when it is short of the border, and shrinks when beyond', async () => {
      // Radius 0.13 grows to 0.143, which is across; the next is 0.1287, which is not.
      expect(lengthOf(await run({ steps: 3, startRadius: 0.13, radiusChange: 0.1 }))).toBeCloseTo(0.143, 5)
      // Radius 0.2 grows to 0.22 and shrinks to 0.198, 0.1782, 0.16038, 0.144342; the last step is not looked at.
      expect(lengthOf(await run({ steps: 6, startRadius: 0.2, radiusChange: 0.1 }))).toBeCloseTo(
        0.22 * 0.9 ** 4,
        5,
      )
    })

    test('comes within γ of the border', async () => {
      const length = lengthOf(await run({ steps: 60, radiusChange: 0.05 }))
      expect(length).toBeGreaterThan(0.2 / Math.SQRT2 - 1e-6)
      expect(length).toBeLessThan((0.2 / Math.SQRT2) * 1.06)
      expect(await run({ steps: 60 }, towards(1))).toEqual(await run({ steps: 60 }))
    })

    test('gives back the image itself when it never was misread', async () => {
      expect(await run({ steps: 1 })).toEqual([[...Float32Array.of(0.6, 0.4)]])
    })

    test('where there is no gradient, steps in a direction of the seed', async () => {
      const cliff = linearModel(2, 2, [1, 0, 0, 1])
      const stepped: number[][] = []
      const victim = {
        inputShape: [2],
        numClasses: 2,
        bounds: [0, 1] as const,
        vjp: cliff.vjp,
        logits: cliff.logits,
        lossAndGradient: async (x: tf.Tensor, y: ArrayLike<number>) => {
          stepped.push([...(await x.data())])
          const answer = await cliff.lossAndGradient(x, y)
          answer.gradient.dispose()
          return { loss: answer.loss, gradient: tf.zerosLike(x) }
        },
      }
      const paths: string[] = []
      for (const seed of [1, 1, 2]) {
        stepped.length = 0
        await attackRows(entry, victim, [[0.6, 0.4]], away(0), { steps: 3, startRadius: 0.1 }, { seed })
        expect(stepped[1]).not.toEqual(stepped[0])
        paths.push(JSON.stringify(stepped))
      }
      cliff.dispose()
      expect(paths[1]).toBe(paths[0])
      expect(paths[2]).not.toBe(paths[0])
    })

    test.each<[string, Options, RegExp]>([
      ['no steps', { steps: 0 }, /ddn: steps must be a whole number of at least 1; got 0/],
      ['no radius', { startRadius: 0 }, /ddn: startRadius must be positive; got 0/],
      [
        'a radius that cannot change',
        { radiusChange: 0 },
        /ddn: radiusChange must lie between 0 and 1; got 0/,
      ],
      [
        'one that shrinks to nothing',
        { radiusChange: 1 },
        /ddn: radiusChange must lie between 0 and 1; got 1/,
      ],
    ])('refuses %s', async (_, wrong, message) => {
      await expect(run(wrong)).rejects.toThrow(message)
    })
  },
)
