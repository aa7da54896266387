import { expect, test } from 'vitest'
import { entry, square } from '../../../src/attacks/evasion/square.ts'
import type { Options } from '../../../src/attacks/attack.ts'
import type { ScoreOracle } from '../../../src/core/classifier.ts'
import { QueryLedger } from '../../../src/core/ledger.ts'
import { scoreOracle } from '../../../src/core/oracle.ts'
import * as tf from '../../../src/core/tf.ts'
import { attackContract, attackRows, away, towards } from './contract.ts'
import { linearModel } from './linear.ts'

attackContract(
  {
    entry,
    quick: { epsilon: 0.1, maxQueries: 12 },
    moves: {
      epsilon: { to: 0.2 },
      norm: { to: 'l2', beside: { epsilon: 0.5 } },
      maxQueries: { to: 3 },
      firstShare: { to: 0.1 },
      variant: { to: 'autoattack', beside: { epsilon: 0.05, maxQueries: 40 } },
    },
    wanders: true,
  },
  () => {
    /** Logits (x₀, x₁) of a line of two pixels: the stripes of the start are all four corners of the ball. */
    const run = async (rows: number[][], criterion = away(0), options: Options = {}, seed = 1) => {
      const victim = linearModel(2, 2, [1, 0, 0, 1])
      return attackRows(entry, victim, rows, criterion, options, { seed }).finally(() => victim.dispose())
    }
    const oracleOf = (maxQueries?: number) => {
      const victim = linearModel(2, 2, [1, 0, 0, 1])
      return { oracle: scoreOracle(victim, new QueryLedger(maxQueries)), dispose: () => victim.dispose() }
    }

    test('finds the one corner of the L∞ ball that is misread: (x₀ − ε, x₁ + ε)', async () => {
      for (let seed = 0; seed < 6; seed++) {
        const [row] = await run([[0.55, 0.45]], away(0), { epsilon: 0.06, maxQueries: 100 }, seed)
        expect(row![0]).toBeCloseTo(0.49, 5)
        expect(row![1]).toBeCloseTo(0.51, 5)
      }
    })

    test('and the other one towards a target', async () => {
      const [row] = await run([[0.45, 0.55]], towards(0), { epsilon: 0.06, maxQueries: 100 })
      expect(row![0]).toBeCloseTo(0.51, 5)
      expect(row![1]).toBeCloseTo(0.49, 5)
    })

    test.each(['linf', 'l2'])('never leaves the ball of %s, whatever it finds', async (norm) => {
      const [row] = await run([[0.9, 0.1]], away(0), { epsilon: 0.2, norm, maxQueries: 50 })
      const change = [row![0]! - 0.9, row![1]! - 0.1]
      const size = norm === 'linf' ? Math.max(...change.map(Math.abs)) : Math.hypot(...change)
      expect(size).toBeLessThanOrEqual(0.2 + 1e-6)
      expect(size).toBeGreaterThan(0.19)
    })

    test('in L∞ asks about corners of the ball alone: every square flips its pixels from one side to the other', async () => {
      const asked: number[] = []
      const still: ScoreOracle = {
        inputShape: [9],
        numClasses: 2,
        bounds: [0, 1],
        async scores(x) {
          asked.push(...(await x.data()))
          // Whatever is shown is a little better than what was before, and never a success.
          return tf.tensor([[0.9 - asked.length / 9000, 0.1 + asked.length / 9000]])
        },
      }
      const x = tf.fill([1, 9], 0.5)
      const options = { epsilon: 0.125, norm: 'linf', maxQueries: 40 } as const
      const { adversarial } = await square(still, x, away(0), options, { seed: 1 })
      expect(asked).toHaveLength(40 * 9)
      for (const value of asked) expect([0.375, 0.625]).toContain(value)
      // Some squares do turn pixels over.
      expect(asked.slice(-9)).not.toEqual(asked.slice(0, 9))
      tf.dispose([x, adversarial])
    })

    test('keeps what was better and goes on from there', async () => {
      // Ever worse: each question is the start with one square turned over, never two.
      const asked: number[][] = []
      const worse: ScoreOracle = {
        inputShape: [1, 36, 1],
        numClasses: 2,
        bounds: [0, 1],
        async scores(x) {
          asked.push([...(await x.data())])
          const p = 0.5 + asked.length / 1000
          return tf.tensor([[p, 1 - p]])
        },
      }
      const x = tf.fill([1, 1, 36, 1], 0.5)
      const options = { epsilon: 0.125, norm: 'linf', maxQueries: 60, firstShare: 0.05 } as const
      const { adversarial } = await square(worse, x, away(0), options, { seed: 1 })
      const [first, ...others] = asked as [number[], ...number[][]]
      const turned = others.map((points) => points.filter((value, i) => value !== first[i]).length)
      expect(Math.max(...turned)).toBe(1)
      expect([...(await adversarial.data())]).toEqual(first)
      tf.dispose([x, adversarial])
    })

    test('squares shrink on the paper’s schedule, stretched over the budget', async () => {
      // Ever worse: what a question turns over is one window of the start, of the side of its step.
      const asked: number[][] = []
      const worse: ScoreOracle = {
        inputShape: [12, 12, 1],
        numClasses: 2,
        bounds: [0, 1],
        async scores(x) {
          asked.push([...(await x.data())])
          const p = 0.5 + asked.length / 1000
          return tf.tensor([[p, 1 - p]])
        },
      }
      const x = tf.fill([1, 12, 12, 1], 0.5)
      const options = { epsilon: 0.125, norm: 'linf', maxQueries: 61, firstShare: 0.5 } as const
      const { adversarial } = await square(worse, x, away(0), options, { seed: 1 })
      tf.dispose([x, adversarial])
      const [first, ...others] = asked as [number[], ...number[][]]
      // The start is of upright stripes, so that a window turns whole columns of its own or none.
      const sides = others.map((points) => {
        const rows = new Set(points.flatMap((value, i) => (value === first[i] ? [] : [Math.floor(i / 12)])))
        return rows.size
      })
      // 72 pixels, halved after 10, 50, 200, 500, 1000, ... of 10,000: sides of √72, √18, √9, √4.5, ... rounded.
      const wanted = [8, 4, 3, 3, 2, 2, 2]
      wanted.forEach((side, step) => expect([0, side]).toContain(sides[step]))
      expect(sides.slice(0, 4).some((side) => side > 0)).toBe(true)
      expect(Math.max(...sides.slice(7))).toBeLessThanOrEqual(2)
      expect(Math.max(...sides.slice(50))).toBe(1)
    })

    test('with ε = 0 nothing moves', async () => {
      const [row] = await run([[0.55, 0.45]], away(0), { epsilon: 0, maxQueries: 5 })
      expect(row).toEqual([Math.fround(0.55), Math.fround(0.45)])
    })

    test('stops asking about a row at its first success, and says how often it asked', async () => {
      const { oracle, dispose } = oracleOf()
      const x = tf.tensor([
        [0.55, 0.45],
        [0.9, 0.1],
      ])
      const options = { epsilon: 0.06, maxQueries: 60 }
      const { adversarial, queries, trace } = await square(oracle, x, away(0, 0), options, { seed: 3 })
      expect(queries![0]).toBeLessThan(60)
      expect(queries![1]).toBe(60)
      const last = trace.at(-1)!.values
      expect(last).toMatchObject({ queries: (queries![0]! + 60) / 2, found: 0.5 })
      expect(last.margin).toBeLessThan(0.8)
      tf.dispose([x, adversarial])
      dispose()
    })

    test('a single query is the stripes of the start', async () => {
      const [row] = await run([[0.55, 0.45]], away(0), { epsilon: 0.06, maxQueries: 1 })
      for (const [i, at] of [0.55, 0.45].entries()) expect(Math.abs(row![i]! - at)).toBeCloseTo(0.06, 5)
    })

    test("keeps what was found when the oracle's own budget is spent in the middle", async () => {
      const full = oracleOf()
      const short = oracleOf(11)
      const x = tf.tensor([
        [0.9, 0.1],
        [0.8, 0.2],
      ])
      const options = { epsilon: 0.1, maxQueries: 50 }
      const cut = await square(short.oracle, x, away(0, 0), options, { seed: 1 })
      const five = await square(full.oracle, x, away(0, 0), { ...options, maxQueries: 50 }, { seed: 1 })
      expect([...cut.queries!]).toEqual([5, 5])
      expect(await cut.adversarial.data()).not.toEqual(await x.data())
      expect([...five.queries!]).toEqual([50, 50])
      tf.dispose([x, cut.adversarial, five.adversarial])
      full.dispose()
      short.dispose()
    })

    test('and gives x back when it was too small for a first question', async () => {
      const { oracle, dispose } = oracleOf(1)
      const x = tf.tensor([
        [0.9, 0.1],
        [0.8, 0.2],
      ])
      const { adversarial, queries } = await square(oracle, x, away(0, 0), {}, { seed: 1 })
      expect([...(await adversarial.data())]).toEqual([...(await x.data())])
      expect([...queries!]).toEqual([0, 0])
      tf.dispose([x, adversarial])
      dispose()
    })

    test('reads probabilities that have run into 0 and 1 as finite margins', async () => {
      const { oracle, dispose } = oracleOf()
      const saturated: ScoreOracle = {
        ...oracle,
        scores: (points) =>
          Promise.resolve(tf.tidy(() => tf.tile(tf.tensor2d([[1, 0]]), [points.shape[0]!, 1]))),
      }
      const x = tf.tensor([[0.9, 0.1]])
      const result = await square(saturated, x, away(0), { maxQueries: 4 }, { seed: 1 })
      expect(Number.isFinite(result.trace.at(-1)!.values.margin)).toBe(true)
      tf.dispose([x, result.adversarial])
      dispose()
    })

    test.each<[string, Options, RegExp]>([
      ['no queries', { maxQueries: 0 }, /square: maxQueries must be a whole number of at least 1; got 0/],
      ['half a query', { maxQueries: 1.5 }, /square: maxQueries must be a whole number/],
      ['squares of no size', { firstShare: 0 }, /square: firstShare must be above 0 and at most 1; got 0/],
      ['squares larger than the picture', { firstShare: 2 }, /square: firstShare must be above 0/],
    ])('refuses %s', async (_, wrong, message) => {
      await expect(run([[0.6, 0.4]], away(0), wrong)).rejects.toThrow(message)
    })
  },
)
