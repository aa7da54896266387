import { expect, test } from 'vitest'
import { entry } from '../../../src/attacks/evasion/ead.ts'
import type { Options } from '../../../src/attacks/attack.ts'
import { attackContract, attackRows, away, towards } from './contract.ts'
import { linearModel } from './linear.ts'

attackContract(
  {
    entry,
    quick: { searchSteps: 3, steps: 20, stepSize: 0.05, initialConst: 1 },
    moves: {
      confidence: { to: 1, beside: { steps: 40, initialConst: 10 } },
      searchSteps: { to: 1 },
      steps: { to: 40 },
      stepSize: { to: 0.02 },
      initialConst: { to: 5 },
      beta: { to: 0.05 },
      rule: { to: 'l1', beside: { beta: 0.0001, steps: 40, searchSteps: 5 } },
    },
    staysWithin: 0,
  },
  () => {
    const thorough = { searchSteps: 4, steps: 60, stepSize: 0.05, initialConst: 1 }
    const run = async (
      options: Options,
      { criterion = away(0), rows = [[0.6, 0.4]], kernel = [1, 0, 0, 1] } = {},
    ) => {
      const victim = linearModel(2, 2, kernel)
      return attackRows(entry, victim, rows, criterion, options).finally(() => victim.dispose())
    }

    test('one step by hand: c · (1, −1) less, β back, and nothing under β', async () => {
      // Hinge gradient (1, −1): from (0.6, 0.4) the step 0.1 · c = 0.3 leads to (0.3, 0.7), and β = 0.05 back.
      const options = { searchSteps: 1, steps: 1, stepSize: 0.1, initialConst: 3, beta: 0.05 }
      const [row] = await run(options)
      expect(row![0]).toBeCloseTo(0.35, 6)
      expect(row![1]).toBeCloseTo(0.65, 6)
      // Step 0.04 is less than β: set back, so never misread.
      expect(await run({ ...options, initialConst: 0.4 })).toEqual([[...Float32Array.of(0.6, 0.4)]])
    })

    test('three steps by hand: each from a point carried on past the last, the third across the border', async () => {
      // Along (−1, 1), with c = 1 and β = 0, the gradient at a change of u is 2u − 1, and steps are 0.05 √(1 − k/3).
      const to = (u: number, k: number) => u - 0.05 * Math.sqrt(1 - k / 3) * (2 * u - 1)
      const u1 = to(0, 0)
      const u2 = to(u1, 1)
      const u3 = to(u2 + (u2 - u1) / 4, 2)
      expect(u2).toBeLessThan(0.1)
      expect(u3).toBeGreaterThan(0.1)
      const [row] = await run({ searchSteps: 1, steps: 3, stepSize: 0.05, initialConst: 1, beta: 0 })
      expect(row![0]).toBeCloseTo(0.6 - u3, 6)
      expect(row![1]).toBeCloseTo(0.4 + u3, 6)
    })

    test('leaves the pixel that matters less exactly as it was', async () => {
      // z = (0.1 x₀, x₁) at (0.6, 0.02): x₁ does ten times as much, and x₀ is set back in every step.
      const [row] = await run({ ...thorough, beta: 0.05 }, { kernel: [0.1, 0, 0, 1], rows: [[0.6, 0.02]] })
      expect(row![0]).toBe(Math.fround(0.6))
      expect(row![1]!).toBeGreaterThan(0.06)
    })

    test('comes near the border, and with confidence beyond it', async () => {
      const [row] = await run(thorough)
      expect(row![1]! - row![0]!).toBeGreaterThan(0)
      expect(Math.hypot(row![0]! - 0.6, row![1]! - 0.4)).toBeLessThan((0.2 / Math.SQRT2) * 1.1)
      const [sure] = await run({ ...thorough, confidence: 0.2 })
      expect(sure![1]! - sure![0]!).toBeGreaterThan(0.2)
      expect(await run(thorough, { criterion: towards(1) })).toEqual([row])
    })

    test('gives back the image itself where no weight was heavy enough', async () => {
      expect(await run({ searchSteps: 1, steps: 20, initialConst: 1e-6 })).toEqual([
        [...Float32Array.of(0.6, 0.4)],
      ])
    })

    test.each<[string, Options, RegExp]>([
      ['no weights', { searchSteps: 0 }, /ead: searchSteps must be a whole number of at least 1; got 0/],
      ['a step size of 0', { stepSize: 0 }, /ead: stepSize must be positive; got 0/],
      ['a weight of 0', { initialConst: 0 }, /ead: initialConst must be positive; got 0/],
    ])('refuses %s', async (_, wrong, message) => {
      await expect(run(wrong)).rejects.toThrow(message)
    })
  },
)
