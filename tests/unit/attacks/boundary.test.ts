import { expect, test } from 'vitest'
import { boundary, entry } from '../../../src/attacks/evasion/boundary.ts'
import type { DecisionOracle } from '../../../src/core/classifier.ts'
import { QueryLedger } from '../../../src/core/ledger.ts'
import { decisionOracle } from '../../../src/core/oracle.ts'
import * as tf from '../../../src/core/tf.ts'
import { attackContract, attackRows, away } from './contract.ts'
import { linearModel } from './linear.ts'

attackContract(
  {
    entry,
    quick: { maxQueries: 60 },
    moves: {
      maxQueries: { to: 5 },
      sidestep: { to: 0.3 },
      approach: { to: 0.1 },
    },
    staysWithin: 0,
  },
  () => {
    const plane = () =>
      linearModel(
        4,
        2,
        [1, 0.5, 0.25, 0.75].flatMap((w) => [w, 0]),
        [0, 1],
      )
    const inside = [0.7, 0.6, 0.5, 0.7]
    const least = (0.7 + 0.3 + 0.125 + 0.525 - 1) / Math.hypot(1, 0.5, 0.25, 0.75)

    test('walks to within a tenth of the plane', async () => {
      const victim = plane()
      const options = { maxQueries: 3000, sidestep: 0.1, approach: 0.05 }
      const [row] = await attackRows(entry, victim, [inside], away(0), options)
      victim.dispose()
      const size = Math.hypot(...row!.map((value, i) => value - inside[i]!))
      expect(size).toBeGreaterThanOrEqual(least - 1e-5)
      expect(size).toBeLessThanOrEqual(least * 1.1)
    })

    test('steps aside along the sphere around the original, then inwards by its share of the distance', async () => {
      const asked: number[][][] = []
      const oracle: DecisionOracle = {
        inputShape: [8],
        numClasses: 2,
        bounds: [0, 1],
        async decide(x) {
          const points = (await x.array()) as number[][]
          asked.push(points)
          return Int32Array.from(points, ([first]) => Number(first! > 0.6))
        },
      }
      const x = tf.fill([1, 8], 0.5)
      const starts = tf.tensor([[0.7, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]])
      const options = { starts, maxQueries: 45, sidestep: 0.3, approach: 0.1 }
      const { adversarial } = await boundary(oracle, x, away(0), options, { seed: 1 })
      tf.dispose([x, starts, adversarial])
      const away8 = (point: number[]) => Math.hypot(...point.map((value) => value - 0.5))
      const pairs = asked.filter((points) => points.length === 2)
      expect(pairs.length).toBeGreaterThan(1)
      for (const [nearer, beside] of pairs)
        expect(away8(nearer!) / away8(beside!)).toBeCloseTo(1 - options.approach, 4)
    })

    test.each([
      ['longer', 1, 1.5],
      ['shorter', 0, 1 / 1.5],
    ])(
      'after thirty counted steps the approach grows %s when they go well or badly',
      async (_, answer, factor) => {
        const pairs: number[][][] = []
        let calls = 0
        const oracle: DecisionOracle = {
          inputShape: [30],
          numClasses: 2,
          bounds: [-1, 1],
          async decide(x) {
            const points = (await x.array()) as number[][]
            if (points.length === 2) pairs.push(points)
            // x is read rightly, its start is not, the border is right before the start; then all go one way.
            calls++
            if (pairs.length === 0 && calls < 12) return Int32Array.of(calls === 2 ? 1 : 0)
            return Int32Array.from(points, () => answer)
          },
        }
        const x = tf.zeros([1, 30])
        const starts = tf.fill([1, 30], 0.1)
        const options = { starts, maxQueries: 400, sidestep: 0.01, approach: 0.01 }
        const { adversarial } = await boundary(oracle, x, away(0), options, { seed: 1 })
        tf.dispose([x, starts, adversarial])
        const shares = pairs.map(([nearer, beside]) => 1 - Math.hypot(...nearer!) / Math.hypot(...beside!))
        expect(shares.length).toBeGreaterThan(31)
        for (const share of shares.slice(0, 30)) expect(share).toBeCloseTo(0.01, 4)
        expect(shares[30]! / shares[29]!).toBeCloseTo(factor, 2)
      },
    )

    test("begins at the caller's picture, and every point it keeps is misread and nearer", async () => {
      const victim = plane()
      const x = tf.tensor([inside])
      const starts = tf.zerosLike(x)
      const oracle = decisionOracle(victim, new QueryLedger())
      const { adversarial, trace, queries } = await boundary(
        oracle,
        x,
        away(0),
        { starts, maxQueries: 300 },
        { seed: 1 },
      )
      const distances = trace.flatMap(({ values }) =>
        values.distance === undefined ? [] : [values.distance],
      )
      expect(distances[0]).toBeLessThanOrEqual(Math.hypot(...inside))
      for (let i = 1; i < distances.length; i++) expect(distances[i]!).toBeLessThanOrEqual(distances[i - 1]!)
      expect([...(await victim.predict(adversarial))]).toEqual([1])
      expect(queries![0]).toBeLessThanOrEqual(300)
      tf.dispose([x, starts, adversarial])
      victim.dispose()
    })

    test("keeps the nearest success when the oracle's own budget is spent in the middle", async () => {
      const victim = plane()
      const x = tf.tensor([inside])
      const oracle = decisionOracle(victim, new QueryLedger(40))
      const { adversarial, queries } = await boundary(oracle, x, away(0), {}, { seed: 1 })
      expect(queries![0]).toBeLessThanOrEqual(40)
      expect([...(await victim.predict(adversarial))]).toEqual([1])
      tf.dispose([x, adversarial])
      victim.dispose()
    })

    test.each([
      ['no queries', { maxQueries: 0 }, /boundary: maxQueries must be a whole number of at least 1/],
      ['no sidestep', { sidestep: 0 }, /boundary: sidestep must be positive; got 0/],
      ['no approach', { approach: 0 }, /boundary: approach must be positive; got 0/],
    ])('refuses %s', async (_, wrong, message) => {
      const victim = plane()
      await expect(attackRows(entry, victim, [inside], away(0), wrong)).rejects.toThrow(message)
      victim.dispose()
    })
  },
)
