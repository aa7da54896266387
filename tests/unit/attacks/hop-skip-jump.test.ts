import { expect, test } from 'vitest'
import { entry, hopSkipJump } from '../../../src/attacks/evasion/hop-skip-jump.ts'
import type { DecisionOracle } from '../../../src/core/classifier.ts'
import { QueryLedger } from '../../../src/core/ledger.ts'
import { decisionOracle } from '../../../src/core/oracle.ts'
import * as tf from '../../../src/core/tf.ts'
import { attackContract, attackRows, away, towards } from './contract.ts'
import { linearModel } from './linear.ts'

attackContract(
  {
    entry,
    quick: { maxQueries: 60, firstProbes: 12 },
    moves: {
      norm: { to: 'linf' },
      maxQueries: { to: 15 },
      firstProbes: { to: 5, beside: { maxQueries: 120 } },
      gamma: { to: 20, beside: { maxQueries: 200 } },
    },
    staysWithin: 0,
  },
  () => {
    /** A plane through the middle of a picture of nine pixels: z = (w·x, 1.2). */
    const weights = [1, -0.5, 0.25, 0.75, 1, -0.25, 0.5, 0.125, 0.5]
    const plane = () =>
      linearModel(
        9,
        2,
        weights.flatMap((w) => [w, 0]),
        [0, 1.2],
      )
    const inside = [0.8, 0.3, 0.6, 0.7, 0.7, 0.4, 0.6, 0.5, 0.6]
    const score = inside.reduce((sum, x, i) => sum + x * weights[i]!, 0) - 1.2
    const norms = { l2: Math.hypot(...weights), l1: weights.reduce((sum, w) => sum + Math.abs(w), 0) }

    test.each([
      ['l2', 1.02],
      ['linf', 1.1],
    ] as const)('comes within a hair of the plane in %s', async (norm, room) => {
      const victim = plane()
      const options = { norm, maxQueries: 2000, gamma: 1 }
      const [row] = await attackRows(entry, victim, [inside], away(0), options)
      victim.dispose()
      const change = row!.map((value, i) => value - inside[i]!)
      const size = norm === 'l2' ? Math.hypot(...change) : Math.max(...change.map(Math.abs))
      const least = norm === 'l2' ? score / norms.l2 : score / norms.l1
      expect(size).toBeGreaterThanOrEqual(least - 1e-5)
      expect(size).toBeLessThanOrEqual(least * room)
    })

    test('the hop goes where the probes point, their mean decision taken off', async () => {
      // A plane x₀ = 0.7; the row stands at (0.5, 0.5), its start at (0.9, 0.5).
      const asked: number[][][] = []
      const oracle: DecisionOracle = {
        inputShape: [2],
        numClasses: 2,
        bounds: [0, 1],
        async decide(x) {
          const points = (await x.array()) as number[][]
          asked.push(points)
          return Int32Array.from(points, ([first]) => Number(first! > 0.7))
        },
      }
      const x = tf.tensor([[0.5, 0.5]])
      const starts = tf.tensor([[0.9, 0.5]])
      const options = { starts, maxQueries: 60, firstProbes: 9, gamma: 0.01 }
      const { adversarial } = await hopSkipJump(oracle, x, away(0), options, { seed: 4 })
      tf.dispose([x, starts, adversarial])
      const at = asked.findIndex((points) => points.length === 9)
      const border = asked
        .slice(0, at)
        .flat()
        .filter(([first]) => first! > 0.7)
        .at(-1)!
      expect(border[0]).toBeLessThan(0.71)
      const probes = asked[at]!
      const votes = probes.map(([first]) => (first! > 0.7 ? 1 : -1))
      const mean = votes.reduce((sum, vote) => sum + vote, 0) / 9
      expect(Math.abs(mean)).toBeLessThan(1)
      const pull = [0, 1].map((k) =>
        probes.reduce((sum, probe, i) => sum + (votes[i]! - mean) * (probe[k]! - border[k]!), 0),
      )
      const length = Math.hypot(...pull)
      const distance = Math.hypot(border[0]! - 0.5, border[1]! - 0.5)
      const [landing] = asked[at + 1]!
      pull.forEach((value, k) => expect(landing![k]).toBeCloseTo(border[k]! + (distance * value) / length, 4))
      expect(landing![0]).toBeGreaterThan(0.8)
    })

    test('more queries never end farther away, and the trace tells the way', async () => {
      const victim = plane()
      const x = tf.tensor([inside])
      const oracle = decisionOracle(victim, new QueryLedger())
      const { adversarial, trace, queries } = await hopSkipJump(
        oracle,
        x,
        away(0),
        { maxQueries: 400 },
        { seed: 2 },
      )
      const distances = trace.flatMap(({ values }) =>
        values.distance === undefined ? [] : [values.distance],
      )
      expect(distances.length).toBeGreaterThan(10)
      for (let i = 1; i < distances.length; i++) expect(distances[i]!).toBeLessThanOrEqual(distances[i - 1]!)
      const asked = trace.map(({ values }) => values.queries!)
      for (let i = 1; i < asked.length; i++) expect(asked[i]!).toBeGreaterThanOrEqual(asked[i - 1]!)
      expect(asked.at(-1)).toBe(queries![0])
      expect(queries![0]).toBeLessThanOrEqual(400)
      tf.dispose([x, adversarial])
      victim.dispose()
    })

    test("begins at the caller's picture, also towards a target", async () => {
      const victim = plane()
      const x = tf.tensor([inside])
      const starts = tf.tensor([inside.map((_, i) => (weights[i]! > 0 ? 0 : 1))])
      const oracle = decisionOracle(victim, new QueryLedger())
      const { adversarial, queries } = await hopSkipJump(
        oracle,
        x,
        towards(1),
        { maxQueries: 2, starts },
        { seed: 1 },
      )
      expect([...(await adversarial.data())]).toEqual([...(await starts.data())])
      expect(queries![0]).toBe(2)
      tf.dispose([x, starts, adversarial])
      victim.dispose()
    })

    test('gives a row back as it is when its start is not misread', async () => {
      const victim = plane()
      const x = tf.tensor([inside])
      const oracle = decisionOracle(victim, new QueryLedger())
      const { adversarial, trace } = await hopSkipJump(oracle, x, away(0), { starts: x }, { seed: 1 })
      expect([...(await adversarial.data())]).toEqual([...(await x.data())])
      expect(trace.at(-1)!.values).toEqual({ queries: 2, most: 2, found: 0 })
      tf.dispose([x, adversarial])
      victim.dispose()
    })

    test("keeps the nearest success when the oracle's own budget is spent in the middle", async () => {
      const victim = plane()
      const x = tf.tensor([inside, inside.map((value) => value - 0.05)])
      const oracle = decisionOracle(victim, new QueryLedger(90))
      const { adversarial, trace, queries } = await hopSkipJump(oracle, x, away(0, 0), {}, { seed: 1 })
      expect(queries!.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(90)
      expect(trace.at(-1)!.values).toMatchObject({ found: 1 })
      expect([...(await victim.predict(adversarial))]).toEqual([1, 1])
      tf.dispose([x, adversarial])
      victim.dispose()
    })

    test.each<[string, number[][], RegExp]>([
      ['too few starts', [], /starts must hold one picture for each row of x, shape \(1, 9\); got/],
      ['a start out of bounds', [inside.map(() => 2)], /starts must lie within \[0, 1\]; got 2/],
    ])('refuses %s', async (_, rows, message) => {
      const victim = plane()
      const x = tf.tensor([inside])
      const starts = rows.length ? tf.tensor(rows) : tf.tensor2d([], [0, 9])
      const oracle = decisionOracle(victim, new QueryLedger())
      await expect(hopSkipJump(oracle, x, away(0), { starts }, { seed: 1 })).rejects.toThrow(message)
      tf.dispose([x, starts])
      victim.dispose()
    })

    test.each([
      ['no queries', { maxQueries: 0 }, /hop-skip-jump: maxQueries must be a whole number of at least 1/],
      ['no probes', { firstProbes: 0 }, /hop-skip-jump: firstProbes must be a whole number of at least 1/],
      ['probes of no length', { gamma: 0 }, /hop-skip-jump: gamma must be positive; got 0/],
    ])('refuses %s', async (_, wrong, message) => {
      const victim = plane()
      await expect(attackRows(entry, victim, [inside], away(0), wrong)).rejects.toThrow(message)
      victim.dispose()
    })
  },
)
