import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Options } from '../../../src/attacks/attack.ts'
import { entry, ontoPlane } from '../../../src/attacks/evasion/fab.ts'
import { runs } from '../../helpers/runs.ts'
import { attackContract, attackRows, away } from './contract.ts'
import { linearModel } from './linear.ts'

attackContract(
  {
    entry,
    quick: { steps: 6 },
    moves: {
      norm: { to: 'l2' },
      steps: { to: 1 },
      borders: { to: 'each' },
      classes: { to: 1, beside: { borders: 'each' } },
      restarts: { to: 3, beside: { steps: 15 } },
      startRadius: { to: 0.01, beside: { steps: 15, restarts: 3 } },
      goodEnough: { to: 5, beside: { borders: 'each', steps: 2 } },
      alphaMax: { to: 0 },
      eta: { to: 1.3 },
      beta: { to: 0.5 },
    },
    staysWithin: 0,
  },
  () => {
    // Logits (x₀, x₁) at (0.6, 0.4), label 0: gap x₁ − x₀ = −0.2 and w = (−1, 1). The border is x₀ = x₁.
    const run = (options: Options, rows = [[0.6, 0.4]], labels = [0], kernel = [1, 0, 0, 1], classes = 2) => {
      const victim = linearModel(2, classes, kernel)
      return attackRows(entry, victim, rows, away(...labels), options).finally(() => victim.dispose())
    }
    const isAt = ([row]: number[][], x0: number, x1: number) => {
      expect(row![0]).toBeCloseTo(x0, 6)
      expect(row![1]).toBeCloseTo(x1, 6)
    }

    test('one step: 0.1 for each pixel onto the border, and 5 % further', async () => {
      isAt(await run({ steps: 1 }), 0.495, 0.505)
      isAt(await run({ steps: 1, norm: 'l2', eta: 1.5 }), 0.45, 0.55)
    })

    test('after a success it steps back to nine tenths and crosses again nearer', async () => {
      // From (0.495, 0.505) back to 0.6 − 0.1·1.05·0.9 = 0.5055: the border is 0.0055 away, the original's 0.1.
      // α = min(0.0055/0.1055, 0.1), and both sides of the mix end at 0.5 or below: 0.49983 nearer than 0.495.
      const alpha = 0.0055 / 0.1055
      const x0 = (1 - alpha) * (0.5055 - 1.05 * 0.0055) + alpha * (0.6 - 1.05 * 0.1)
      isAt(await run({ steps: 2 }), x0, 1 - x0)
    })

    test('where an edge of the box is in the way, the other pixels go further', async () => {
      // (0.6, 0.98) under z = (2x₀, x₁): gap −0.22, w = (−2, 1). x₁ has room for 0.02: x₀ moves by 0.1 and 5 % more.
      isAt(await run({ steps: 1 }, [[0.6, 0.98]], [0], [2, 0, 0, 1]), 0.6 - 0.105 * (0.2 / 0.2), 1)
    })

    test('each border in turn finds what the likeliest class alone does not', async () => {
      // z = (x₀, 5x₁, x₀/4) at (0.6, 0.02): class 2 is likelier, the border to class 1 nearer.
      const kernel = [1, 0, 0.25, 0, 5, 0]
      const likeliest = await run(
        { borders: 'each', classes: 1, steps: 3, norm: 'l2' },
        [[0.6, 0.02]],
        [0],
        kernel,
        3,
      )
      const both = await run(
        { borders: 'each', classes: 2, steps: 3, norm: 'l2' },
        [[0.6, 0.02]],
        [0],
        kernel,
        3,
      )
      const length = ([row]: number[][]) => Math.hypot(row![0]! - 0.6, row![1]! - 0.02)
      expect(length(both)).toBeCloseTo(0.5 / Math.hypot(1, 5), 2)
      expect(length(likeliest)).toBeGreaterThan(length(both) * 1.5)
    })

    test('of several runs a row keeps its nearest: further runs never make it worse', async () => {
      const rows = [
        [0.6, 0.4],
        [0.9, 0.1],
      ]
      const far = (got: number[][]) => got.map((row, i) => Math.abs(row[0]! - rows[i]![0]!))
      const once = far(await run({ steps: 2 }, rows, [0, 0]))
      const often = far(await run({ steps: 2, restarts: 4 }, rows, [0, 0]))
      once.forEach((distance, i) => expect(often[i]).toBeLessThanOrEqual(distance))
    })

    test('a row that cannot be misread comes back as it is', async () => {
      const hopeless = linearModel(2, 2, [1, 0, 0, 1], [0, -2])
      const [row] = await attackRows(entry, hopeless, [[0.9, 0]], away(0), { steps: 4, restarts: 1 })
      hopeless.dispose()
      expect(row).toEqual([...Float32Array.of(0.9, 0)])
    })

    test.each<[string, Options, RegExp]>([
      ['no steps', { steps: 0 }, /fab: steps must be a whole number of at least 1; got 0/],
      ['no classes', { classes: 0 }, /fab: classes must be a whole number of at least 1; got 0/],
      ['a jump of nothing', { eta: 0 }, /fab: eta must be positive; got 0/],
      ['more than the whole way back', { beta: 1.1 }, /fab: beta must be a share from 0 to 1; got 1.1/],
    ])('refuses %s', async (_, wrong, message) => {
      await expect(run(wrong)).rejects.toThrow(message)
    })
  },
)

describe('ontoPlane', () => {
  const unit = fc.float({ min: 0, max: 1, noNaN: true })
  const slope = fc.float({ min: -3, max: 3, noNaN: true })
  const vector = (element: fc.Arbitrary<number>) =>
    fc.array(element, { minLength: 5, maxLength: 5 }).map((values) => Float32Array.from(values))
  const size = (move: Float32Array, norm: 'linf' | 'l2') =>
    norm === 'linf' ? Math.max(...move.map(Math.abs)) : Math.hypot(...move)
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)

  test.each(['linf', 'l2'] as const)(
    '%s: on the plane or in the corner nearest to it, always in the box',
    (norm) => {
      fc.assert(
        fc.property(
          vector(unit),
          vector(slope),
          fc.double({ min: -4, max: 4, noNaN: true }),
          (at, w, gap) => {
            const move = ontoPlane(at, gap, w, norm, [0, 1])
            move.forEach((by, j) => {
              expect(at[j]! + by).toBeGreaterThanOrEqual(-1e-6)
              expect(at[j]! + by).toBeLessThanOrEqual(1 + 1e-6)
            })
            const reach = w.reduce((sum, s, j) => sum + Math.abs(s) * (gap * s > 0 ? at[j]! : 1 - at[j]!), 0)
            const left = gap + dot(w, move)
            expect(left).toBeCloseTo(Math.sign(gap) * Math.max(0, Math.abs(gap) - reach), 4)
          },
        ),
        { numRuns: runs(100) },
      )
    },
  )

  test.each(['linf', 'l2'] as const)('%s: a gap that no step can close ends all the same', (norm) => {
    const slopes = Float32Array.of(3, -3, 3, 3, -3)
    const move = ontoPlane(new Float32Array(5).fill(0.5), Number.MIN_VALUE, slopes, norm, [0, 1])
    expect(size(move, norm)).toBeLessThan(1e-30)
  })

  test.each(['linf', 'l2'] as const)('%s: no shorter move of the same box reaches the plane', (norm) => {
    fc.assert(
      fc.property(
        vector(unit),
        vector(slope),
        vector(slope),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (at, w, other, gap) => {
          const move = ontoPlane(at, gap, w, norm, [0, 1])
          if (Math.abs(gap + dot(w, move)) > 1e-5) return
          // Any other point of the box on the far side of the plane is at least as far away.
          const there = at.map((value, j) => Math.min(1, Math.max(0, value + other[j]!)))
          const rival = there.map((value, j) => value - at[j]!)
          if (Math.sign(gap) * (gap + dot(w, rival)) > -1e-5) return
          expect(size(move, norm)).toBeLessThanOrEqual(size(rival, norm) + 1e-5)
        },
      ),
      { numRuns: runs(200) },
    )
  })
})
