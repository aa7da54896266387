import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bestPair, entry } from '../../../src/attacks/evasion/jsma.ts'
import type { Options } from '../../../src/attacks/attack.ts'
import { attackContract, attackRows, away, towards } from './contract.ts'
import { linearModel } from './linear.ts'
import { runs } from '../../helpers/runs.ts'

attackContract(
  {
    entry,
    quick: { theta: 0.2, gamma: 1, saliency: 'target' },
    moves: {
      theta: { to: 1 },
      gamma: { to: 0.05, criterion: 'targeted' },
      saliency: { to: 'pairs', criterion: 'targeted' },
      again: { to: false, criterion: 'targeted', beside: { theta: 0.1 } },
    },
    staysWithin: 0,
  },
  () => {
    /** Four pixels, three classes: z₁ rises with pixels 1 and 2, z₂ with 2 and 3, z₀ falls with none. */
    const kernel = [1, 0, 0, 0, 1, 0, 0, 1, 0.5, 0, 0, 1]
    const run = async (options: Options, criterion = towards(1), rows = [[0.9, 0.1, 0.1, 0.1]]) => {
      const victim = linearModel(4, 3, kernel)
      return attackRows(entry, victim, rows, criterion, options).finally(() => victim.dispose())
    }
    const isRow = ([got]: number[][], wanted: number[]) =>
      got!.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 6))
    // Only a pixel that speaks against the others, at least beside another, can be half of a pair.
    const against = [1, 0, 0, -1, 1, 0, 0, 1, 0.5, 0, 0, 1]

    test('of all pairs it takes the largest α·|β| with α > 0 and β < 0', () => {
      const all = Uint8Array.of(1, 1, 1)
      // (0, 1): α 3, β 0. (0, 2): α 0. (1, 2): α 1, β −4.
      expect(bestPair(Float32Array.of(1, 2, -1), Float32Array.of(-1, 1, -5), all)).toEqual([1, 2])
      // (0, 1): 4 · 1. (0, 2): 3 · 2. (1, 2): 3 · 3.
      expect(bestPair(Float32Array.of(2, 2, 1), Float32Array.of(0, -1, -2), all)).toEqual([1, 2])
      expect(bestPair(Float32Array.of(2, 2, 1), Float32Array.of(0, -1, -2), Uint8Array.of(1, 0, 1))).toEqual([
        0, 2,
      ])
      expect(bestPair(Float32Array.of(2, 2, 1), Float32Array.of(1, 1, 1), all)).toEqual([])
      expect(bestPair(Float32Array.of(-1, -1), Float32Array.of(1, 1), all.subarray(1))).toEqual([])
      // A tie goes to the pair that comes first.
      expect(bestPair(Float32Array.of(1, 1, 1), Float32Array.of(-1, -1, -1), all)).toEqual([0, 1])
    })

    test('raises the two pixels that speak most for the target, until it is read', async () => {
      // For class 1 the derivatives are (0, 1, 1, 0): pixels 1 and 2, once by 0.5, give z₁ = 1.2 against 0.9 and 0.4.
      isRow(await run({ saliency: 'target', theta: 0.5, gamma: 1 }), [0.9, 0.6, 0.6, 0.1])
      // By 0.1 it takes four steps: z₁ = 0.2, 0.4, 0.6, 0.8, 1.0.
      isRow(await run({ saliency: 'target', theta: 0.1, gamma: 1 }), [0.9, 0.5, 0.5, 0.1])
    })

    test('each pixel once: it ends where those that speak for the target are used up', async () => {
      isRow(await run({ saliency: 'target', theta: 0.1, gamma: 1, again: false }), [0.9, 0.2, 0.2, 0.1])
    })

    test('pairs, by hand: pixel 1 and the pixel that speaks against the others', async () => {
      const victim = linearModel(4, 3, against)
      // z = (x₀ − x₁, x₁ + x₂, x₂/2 + x₃). For class 1: α = (0, 1, 1, 0), β = (1, −1, 0.5, 1).
      // (1, 2): α 2, β −0.5 is the only pair: (0, 1) and (1, 3) have β 0.
      isRow(
        await attackRows(entry, victim, [[0.9, 0.1, 0.1, 0.1]], towards(1), { theta: 0.3, gamma: 1 }),
        [0.9, 0.4, 0.4, 0.1],
      )
      victim.dispose()
    })

    test('lowers pixels when theta is negative: from white down', async () => {
      // For class 1 the two that speak least for it are 0 and 3: 0.9 − 0.5 and 0.3 − 0.5, which is 0.
      isRow(
        await run({ saliency: 'target', theta: -0.5, gamma: 1 }, towards(1), [[0.9, 0.2, 0.3, 0.3]]),
        [0.4, 0.2, 0.3, 0],
      )
    })

    test('without a target it aims at the likeliest other class', async () => {
      // z = (0.9, 0.3, 0.65): class 2, whose derivatives are (0, 0, 0.5, 1).
      isRow(
        await run({ saliency: 'target', theta: 0.5, gamma: 1 }, away(0), [[0.9, 0.1, 0.2, 0.55]]),
        [0.9, 0.1, 0.7, 1],
      )
    })

    test('stops where every pixel is at its bound', async () => {
      isRow(await run({ saliency: 'target', theta: 0.5, gamma: 1 }, towards(2), [[1, 1, 1, 1]]), [1, 1, 1, 1])
    })

    test('changes no more than its share of pixels, and one over', async () => {
      const unit = fc.float({ min: 0, max: 1, noNaN: true })
      await fc.assert(
        fc.asyncProperty(
          fc.array(unit, { minLength: 4, maxLength: 4 }),
          fc.double({ min: 0.05, max: 1, noNaN: true }),
          fc.constantFrom('pairs', 'target'),
          fc.boolean(),
          async (row, gamma, saliency, again) => {
            const x = [...Float32Array.from(row)]
            const [got] = await run({ theta: 0.4, gamma, saliency, again }, towards(1), [x])
            expect(got!.filter((value, i) => value !== x[i]).length).toBeLessThanOrEqual(
              Math.ceil(gamma * 4) + 1,
            )
          },
        ),
        { numRuns: runs(15) },
      )
    })

    test.each<[string, Options, RegExp]>([
      ['a change of 0', { theta: 0 }, /jsma: theta must not be 0, for no pixel would change; got 0/],
      ['no pixels', { gamma: 0 }, /jsma: gamma must be above 0 and at most 1; got 0/],
      ['more pixels than there are', { gamma: 1.5 }, /jsma: gamma must be above 0 and at most 1; got 1.5/],
    ])('refuses %s', async (_, wrong, message) => {
      await expect(run(wrong)).rejects.toThrow(message)
    })
  },
)
