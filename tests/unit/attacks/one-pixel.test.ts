import { expect, test } from 'vitest'
import { entry, onePixel } from '../../../src/attacks/evasion/one-pixel.ts'
import type { ScoreOracle } from '../../../src/core/classifier.ts'
import { QueryLedger } from '../../../src/core/ledger.ts'
import { scoreOracle } from '../../../src/core/oracle.ts'
import * as tf from '../../../src/core/tf.ts'
import { attackContract, attackRows, away, towards } from './contract.ts'
import { linearModel } from './linear.ts'

attackContract(
  {
    entry,
    quick: { population: 12, generations: 3 },
    moves: {
      pixels: { to: 3 },
      population: { to: 30 },
      generations: { to: 0 },
      strategy: { to: 'random' },
    },
    wanders: true,
  },
  () => {
    /** Two pixels, read as the larger: only a changed pixel of the right value is misread. */
    const run = async (rows: number[][], criterion = away(0), options = {}, seed = 1) => {
      const victim = linearModel(2, 2, [1, 0, 0, 1])
      return attackRows(entry, victim, rows, criterion, options, { seed }).finally(() => victim.dispose())
    }
    const changed = (row: number[], from: number[]) =>
      row.filter((value, i) => value !== Math.fround(from[i]!)).length

    test('repaints one pixel, and that one misleads', async () => {
      for (let seed = 0; seed < 5; seed++) {
        const from = [0.6, 0.4]
        const [row] = await run([from], away(0), { population: 30, generations: 10 }, seed)
        expect(changed(row!, from)).toBe(1)
        expect(row![1]!).toBeGreaterThan(row![0]!)
      }
    })

    test('asks no further once a candidate succeeds, and gives that one back', async () => {
      const first: number[] = []
      const fooled: ScoreOracle = {
        inputShape: [9],
        numClasses: 2,
        bounds: [0, 1],
        async scores(x) {
          const points = (await x.array()) as number[][]
          if (first.length === 0) first.push(...points[0]!)
          return tf.tensor(points.map(() => [0.4, 0.6]))
        },
      }
      const x = tf.zeros([1, 9])
      const options = { population: 12, generations: 5 }
      const { adversarial, queries } = await onePixel(fooled, x, away(0), options, { seed: 1 })
      expect([...queries!]).toEqual([12])
      expect([...(await adversarial.data())]).toEqual(first)
      tf.dispose([x, adversarial])
    })

    test('reaches a target', async () => {
      const [row] = await run([[0.2, 0.9]], towards(0), { population: 30, generations: 10 })
      expect(row![0]!).toBeGreaterThanOrEqual(row![1]!)
      expect(changed(row!, [0.2, 0.9])).toBe(1)
    })

    test('comes as near as it can when no pixel is enough, within its queries', async () => {
      // z₀ = x₀ + x₁ + x₂ + 2 against z₁ = 1: whatever is painted, it is read as 0.
      const victim = linearModel(3, 2, [1, 0, 1, 0, 1, 0], [2, 1])
      const x = tf.tensor([[0.9, 0.5, 0.2]])
      const oracle = scoreOracle(victim, new QueryLedger())
      const options = { pixels: 1, population: 12, generations: 20 }
      const { adversarial, queries, trace } = await onePixel(oracle, x, away(0), options, { seed: 1 })
      const [row] = (await adversarial.array()) as number[][]
      // The best is to paint out the brightest.
      expect(row![0]).toBeLessThan(0.1)
      expect(row!.slice(1)).toEqual([0.5, Math.fround(0.2)])
      expect(queries![0]).toBe(12 * 21)
      expect(trace.at(-1)!.values.found).toBe(0)
      tf.dispose([x, adversarial])
      victim.dispose()
    })

    test('a child takes its parent’s place only when it is no worse: the search closes in', async () => {
      // The label is least likely when the pixel in the middle is 0.37; nothing is ever a success.
      const seen: number[] = []
      const oracle: ScoreOracle = {
        inputShape: [9],
        numClasses: 2,
        bounds: [0, 1],
        async scores(x) {
          const points = (await x.array()) as number[][]
          const label = points.map((point) => 0.6 + 0.3 * Math.abs(point[4]! - 0.37))
          seen.push(label.reduce((sum, p) => sum + p, 0) / label.length)
          return tf.tensor(label.map((p) => [p, 1 - p]))
        },
      }
      const x = tf.zeros([1, 9])
      const options = { pixels: 1, population: 12, generations: 60, strategy: 'random' } as const
      const { adversarial } = await onePixel(oracle, x, away(0), options, { seed: 1 })
      const found = await adversarial.data()
      expect(Math.abs(found[4]! - 0.37)).toBeLessThan(1e-3)
      // Not the best alone: children come of good parents.
      expect(seen.at(-1)).toBeLessThan(0.66)
      tf.dispose([x, adversarial])
    })

    test("keeps its best when the oracle's own budget is spent in the middle, and x when it is too small", async () => {
      const victim = linearModel(3, 2, [1, 0, 1, 0, 1, 0], [2, 1])
      const x = tf.tensor([[0.9, 0.5, 0.2]])
      const options = { population: 12, generations: 20 }
      for (const [budget, asked, moved] of [
        [30, 24, 1],
        [11, 0, 0],
      ] as const) {
        const oracle = scoreOracle(victim, new QueryLedger(budget))
        const { adversarial, queries } = await onePixel(oracle, x, away(0), options, { seed: 1 })
        expect(queries![0]).toBe(asked)
        expect(changed([...(await adversarial.data())], [0.9, 0.5, 0.2])).toBe(moved)
        adversarial.dispose()
      }
      x.dispose()
      victim.dispose()
    })

    test.each([
      ['no pixel', { pixels: 0 }, /one-pixel: pixels must be a whole number of at least 1; got 0/],
      ['three candidates', { population: 3 }, /one-pixel: population must be a whole number of at least 4/],
      [
        'part of a generation',
        { generations: 0.5 },
        /one-pixel: generations must be a whole number of at least 0/,
      ],
    ])('refuses %s', async (_, wrong, message) => {
      await expect(run([[0.6, 0.4]], away(0), wrong)).rejects.toThrow(message)
    })
  },
)
