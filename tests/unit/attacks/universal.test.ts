import { expect, test } from 'vitest'
import { universal, entry } from '../../../src/attacks/evasion/universal.ts'
import * as tf from '../../../src/core/tf.ts'
import type { WhiteBoxAccess } from '../../../src/core/classifier.ts'
import { attackContract, attackRows, away } from './contract.ts'
import { linearModel } from './linear.ts'

attackContract(
  {
    entry,
    quick: { passes: 2, epsilon: 0.15, share: 1, steps: 5 },
    moves: {
      epsilon: { to: 0.3 },
      norm: { to: 'l2', beside: { epsilon: 0.4 } },
      share: { to: 0.05, beside: { epsilon: 0.1, passes: 3 } },
      passes: { to: 1, beside: { share: 1, epsilon: 0.1 } },
      steps: { to: 1, beside: { overshoot: 0 } },
      overshoot: { to: 0.5 },
    },
    shared: true,
  },
  () => {
    // Logits (x₀, x₁), label 0: the border is x₀ = x₁, and DeepFool ends 1e-4 and 2 % beyond it.
    const rows = [
      [0.6, 0.4],
      [0.7, 0.4],
    ]
    const run = (options: object, given = rows, seed = 1) => {
      const victim = linearModel(2, 2, [1, 0, 0, 1])
      return attackRows(entry, victim, given, away(...given.map(() => 0)), options as never, {
        seed,
      }).finally(() => victim.dispose())
    }
    const changes = (got: number[][], given = rows) =>
      got.map((row, i) => row.map((value, j) => value - given[i]![j]!))

    test('gives every row one change, which fools the hardest of them', async () => {
      const [a, b] = changes(await run({ norm: 'l2', epsilon: 1, share: 1, passes: 4 }))
      expect(a![0]).toBeCloseTo(b![0]!, 6)
      expect(a![1]).toBeCloseTo(b![1]!, 6)
      // The second row lies 0.3 beyond the border: −0.15 and +0.15, and a little more.
      expect(a![0]!).toBeLessThan(-0.15)
      expect(a![0]!).toBeGreaterThan(-0.16)
    })

    test.each([
      ['linf', 0.1],
      ['l2', 0.1],
    ])('keeps the one change within ε in %s', async (norm, epsilon) => {
      const [a] = changes(await run({ norm, epsilon, share: 1, passes: 3 }))
      const size = norm === 'linf' ? Math.max(...a!.map(Math.abs)) : Math.hypot(...a!)
      expect(size).toBeLessThanOrEqual(epsilon + 1e-6)
      expect(size).toBeGreaterThan(epsilon - 1e-3)
    })

    test('a budget of 0 changes nothing', async () => {
      for (const change of changes(await run({ epsilon: 0 })).flat()) expect(change).toBeCloseTo(0, 6)
    })

    test('ends when enough is misread: one row of two is half', async () => {
      const x = tf.tensor(rows)
      const victim = linearModel(2, 2, [1, 0, 0, 1])
      const shares = async (share: number) => {
        const options = { norm: 'l2' as const, epsilon: 1, share, passes: 5 }
        const { adversarial, trace } = await universal(victim, x, away(0, 0), options, { seed: 3 })
        adversarial.dispose()
        return trace.map(({ values }) => values.misread!)
      }
      const all = await shares(1)
      expect(all.at(-1)).toBe(1)
      for (const earlier of all.slice(0, -1)) expect(earlier).toBeLessThan(1)
      expect((await shares(0.5)).at(-1)).toBeGreaterThanOrEqual(0.5)
      expect(await shares(0.5)).toHaveLength(1)
      x.dispose()
      victim.dispose()
    })

    test('keeps the change of the pass that fooled most', async () => {
      // Row 0 wants x₀ down, row 1 wants it up: a pass undoes in part what the pass before did.
      const given = [
        [0.55, 0.45],
        [0.45, 0.55],
      ]
      const victim = linearModel(2, 2, [1, 0, 0, 1])
      const x = tf.tensor(given)
      const options = { norm: 'l2' as const, epsilon: 0.5, share: 1, passes: 4 }
      const { adversarial, trace } = await universal(victim, x, away(0, 1), options, { seed: 1 })
      const read = await victim.predict(adversarial)
      const share = [...read].filter((label, i) => label !== i).length / 2
      expect(share).toBe(Math.max(...trace.map(({ values }) => values.misread!)))
      tf.dispose([x, adversarial])
      victim.dispose()
    })

    test('a later pass that fools fewer is not kept', async () => {
      const victim = linearModel(2, 2, [1, 0, 0, 1])
      const shown: number[][][] = []
      // Asked about both rows at once, it says: one fooled after the first pass, none after the second.
      const told = [
        [
          [0, 1],
          [0, 1],
        ],
        [
          [1, 0],
          [0, 1],
        ],
      ]
      const watched: WhiteBoxAccess = {
        inputShape: [2],
        numClasses: 2,
        bounds: [0, 1],
        async logits(x) {
          if (x.shape[0] === 1) return victim.logits(x)
          shown.push((await x.array()) as number[][])
          return tf.tensor(told[shown.length - 1]!)
        },
        lossAndGradient: (...asked) => victim.lossAndGradient(...asked),
        vjp: (...asked) => victim.vjp(...asked),
      }
      const x = tf.tensor([
        [0.55, 0.45],
        [0.45, 0.55],
      ])
      const options = { norm: 'l2' as const, epsilon: 0.5, share: 1, passes: 2 }
      const { adversarial, trace } = await universal(watched, x, away(0, 1), options, { seed: 1 })
      expect(trace.map(({ values }) => values.misread)).toEqual([0.5, 0])
      expect(shown[1]).not.toEqual(shown[0])
      expect(await adversarial.array()).toEqual(shown[0])
      tf.dispose([x, adversarial])
      victim.dispose()
    })

    test.each([
      [{ share: 0 }, /share must be positive/],
      [{ share: 1.5 }, /share must be at most 1; got 1.5/],
    ])('refuses %o', async (options, message) => {
      await expect(run(options)).rejects.toThrow(message)
    })

    test('another seed goes through x in another order', async () => {
      const many = Array.from({ length: 6 }, (_, i) => [0.6 + i / 20, 0.4 - i / 30])
      const options = { norm: 'l2', epsilon: 0.12, share: 1, passes: 1, overshoot: 0.5 }
      const results = await Promise.all([1, 2, 3, 4].map((seed) => run(options, many, seed)))
      expect(new Set(results.map((result) => JSON.stringify(result))).size).toBeGreaterThan(1)
    })
  },
)
