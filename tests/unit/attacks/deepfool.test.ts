import { expect, test } from 'vitest'
import { entry } from '../../../src/attacks/evasion/deepfool.ts'
import type { Options } from '../../../src/attacks/attack.ts'
import { attackContract, attackRows, away } from './contract.ts'
import { linearModel } from './linear.ts'

attackContract(
  {
    entry,
    quick: { steps: 10 },
    moves: {
      norm: { to: 'linf' },
      steps: { to: 1, beside: { overshoot: 0 } },
      overshoot: { to: 0.2 },
      overshoots: { to: 'step' },
      candidates: { to: 2 },
    },
    staysWithin: 0,
  },
  () => {
    // Logits (x₀, x₁) at (0.6, 0.4), label 0: f = x₁ − x₀ = −0.2 and w = (−1, 1). The border is x₀ = x₁.
    const run = (options: Options, rows = [[0.6, 0.4]], labels = [0], kernel = [1, 0, 0, 1], classes = 2) => {
      const victim = linearModel(2, classes, kernel)
      return attackRows(entry, victim, rows, away(...labels), options).finally(() => victim.dispose())
    }
    const isAt = (got: number[][], x0: number, x1: number) => {
      expect(got[0]![0]).toBeCloseTo(x0, 6)
      expect(got[0]![1]).toBeCloseTo(x1, 6)
    }

    test('L2: |f|/‖w‖ = 0.2/√2, and 1e-4 more, and 2 % more', async () => {
      const side = ((0.2 / Math.SQRT2 + 1e-4) * 1.02) / Math.SQRT2
      isAt(await run({ overshoot: 0.02 }), 0.6 - side, 0.4 + side)
    })

    test('L∞: |f|/‖w‖₁ = 0.1 for each pixel, and 1e-4 more, and 50 % more', async () => {
      isAt(await run({ norm: 'linf', overshoot: 0.5 }), 0.6 - 0.1001 * 1.5, 0.4 + 0.1001 * 1.5)
    })

    test('each step overshot by itself: 0.1 and 2 % of it, without 1e-4', async () => {
      isAt(await run({ overshoots: 'step' }), 0.6 - 0.102, 0.4 + 0.102)
    })

    test('of two borders it takes the nearer, be it to the likelier class or not', async () => {
      const step = (gap: number, w: [number, number]) => {
        const way = (gap / Math.hypot(...w) + 1e-4) * 1.02
        return [(way * w[0]) / Math.hypot(...w), (way * w[1]) / Math.hypot(...w)] as const
      }
      // z = (x₀, x₁, x₀/2 + x₁) = (0.6, 0.1, 0.4). Class 1: f = −0.5, w = (−1, 1). Class 2: f = −0.2, w = (−0.5, 1).
      const [a, b] = step(0.2, [-0.5, 1])
      isAt(await run({}, [[0.6, 0.1]], [0], [1, 0, 0.5, 0, 1, 1], 3), 0.6 + a, 0.1 + b)
      // z = (x₀, 5x₁, x₀/4) = (0.6, 0.1, 0.15). Class 1: f = −0.5, w = (−1, 5). Class 2: f = −0.45, w = (−0.75, 0).
      const [c, d] = step(0.5, [-1, 5])
      isAt(await run({}, [[0.6, 0.02]], [0], [1, 0, 0.25, 0, 5, 0], 3), 0.6 + c, 0.02 + d)
    })

    test('each row stops by itself; one that cannot get across ends as far as it got', async () => {
      // Beyond (1, 0) the bounds end: the row (0.9, 0) under z = (x₀, x₁ − 2) can never be misread.
      const hopeless = linearModel(2, 2, [1, 0, 0, 1], [0, -2])
      const [misread, far] = await attackRows(
        entry,
        hopeless,
        [
          [0.3, 0.2],
          [0.9, 0],
        ],
        away(1, 0),
        { steps: 3 },
      )
      hopeless.dispose()
      expect(far).toEqual([0, 1])
      expect(misread).toEqual([...Float32Array.of(0.3, 0.2)])
    })

    test.each<[string, Options, RegExp]>([
      ['no steps', { steps: 0 }, /deepfool: steps must be a whole number of at least 1; got 0/],
      [
        'one candidate, which is the label itself',
        { candidates: 1 },
        /deepfool: candidates must be a whole number of at least 2; got 1/,
      ],
    ])('refuses %s', async (_, wrong, message) => {
      await expect(run(wrong)).rejects.toThrow(message)
    })
  },
)
