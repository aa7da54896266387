import { expect, test } from 'vitest'
import { entry } from '../../../src/attacks/evasion/newton-fool.ts'
import type { Options } from '../../../src/attacks/attack.ts'
import { attackContract, attackRows, away } from './contract.ts'
import { linearModel } from './linear.ts'

attackContract(
  {
    entry,
    quick: { steps: 30, stepSize: 0.02 },
    moves: { steps: { to: 1 }, stepSize: { to: 0.1 }, lengths: { to: 'squared' } },
    staysWithin: 0,
  },
  () => {
    // Logits (x₀, x₁) at (0.6, 0.4): p₀ = 1 / (1 + e^−0.2), and its gradient is p₀ p₁ (1, −1).
    const p = 1 / (1 + Math.exp(-0.2))
    const slope = p * (1 - p) * Math.SQRT2
    const size = Math.hypot(0.6, 0.4)
    const run = async (options: Options) => {
      const victim = linearModel(2, 2, [1, 0, 0, 1])
      const [row] = await attackRows(entry, victim, [[0.6, 0.4]], away(0), options).finally(() =>
        victim.dispose(),
      )
      return row!
    }
    const isStep = (row: number[], length: number) => {
      expect(row[0]).toBeCloseTo(0.6 - length / Math.SQRT2, 5)
      expect(row[1]).toBeCloseTo(0.4 + length / Math.SQRT2, 5)
    }

    test("a short step is η times the image's length", async () => {
      isStep(await run({ steps: 1, stepSize: 0.05 }), 0.05 * size)
    })

    test('a long one goes where the straight line meets chance: (p₀ − ½) / ‖∇p₀‖', async () => {
      isStep(await run({ steps: 1, stepSize: 0.9 }), (p - 0.5) / slope)
    })

    test('squared lengths, as foolbox takes them: min(η ‖x‖² ‖∇‖², p₀ − ½) / ‖∇‖³', async () => {
      isStep(await run({ steps: 1, stepSize: 0.05, lengths: 'squared' }), (0.05 * size ** 2) / slope)
      // (p₀ − ½) / ‖∇p₀‖³ is 1.2: out of bounds.
      expect((p - 0.5) / slope ** 3).toBeGreaterThan(1)
      expect(await run({ steps: 1, stepSize: 0.9, lengths: 'squared' })).toEqual([0, 1])
    })

    test('stops at the first point that is misread', async () => {
      const [x0, x1] = await run({ steps: 100, stepSize: 0.05 })
      expect(x1!).toBeGreaterThan(x0!)
      expect(x1! - x0!).toBeLessThan(2 * 0.05 * size)
    })

    test.each<[string, Options, RegExp]>([
      ['no steps', { steps: 0 }, /newton-fool: steps must be a whole number of at least 1; got 0/],
      ['a step size of 0', { stepSize: 0 }, /newton-fool: stepSize must be positive; got 0/],
    ])('refuses %s', async (_, wrong, message) => {
      await expect(run(wrong)).rejects.toThrow(message)
    })
  },
)
