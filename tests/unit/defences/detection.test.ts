import { describe, expect, test } from 'vitest'
import { createRng } from '../../../src/core/rng.ts'
import { alarmAt, nearestMean, QueryWatch, thumbnail } from '../../../src/defences/detection/query-watch.ts'
import { shapiroWilk } from '../../../src/core/statistics.ts'
import { Prada } from '../../../src/defences/detection/prada.ts'

const point = (...values: number[]) => Float32Array.from(values)

describe('a thumbnail', () => {
  test('holds the mean of each cell, channel by channel', () => {
    // 20 × 20: cells of 2 × 2. The first cell is (1, 3, 5, 7) in channel 0 and zeros in channel 1.
    const pixels = new Float32Array(20 * 20 * 2)
    for (const [i, j, value] of [
      [0, 0, 1],
      [0, 1, 3],
      [1, 0, 5],
      [1, 1, 7],
    ] as const)
      pixels[(i * 20 + j) * 2] = value
    const small = thumbnail(pixels, [20, 20, 2])
    expect(small).toHaveLength(200)
    expect([...small.slice(0, 3)]).toEqual([4, 0, 0])
  })

  test('of a small picture is the picture, and uneven cells are weighed rightly', () => {
    expect([...thumbnail([1, 2, 3, 4], [2, 2, 1])]).toEqual([1, 2, 3, 4])
    const ones = thumbnail(new Float32Array(13 * 17 * 3).fill(1), [13, 17, 3])
    expect(ones.every((value) => value === 1)).toBe(true)
  })
})

describe('the watch', () => {
  const rule = { neighbours: 2, threshold: 1 }

  test('tells the mean distance to the nearest, once there are enough', () => {
    expect(nearestMean(point(0), [point(3)], 2)).toBeUndefined()
    expect(nearestMean(point(0), [point(9), point(-1), point(3)], 2)).toBe(2)
  })

  test('is silent about pictures far apart and about the first ones, and names the first that is too near', () => {
    expect(
      alarmAt(
        [0, 5, 10, 15, 20].map((x) => point(x)),
        rule,
      ),
    ).toBeUndefined()
    expect(
      alarmAt(
        [0, 0].map((x) => point(x)),
        rule,
      ),
    ).toBeUndefined()
    expect(
      alarmAt(
        [0, 5, 0.1, 0.2].map((x) => point(x)),
        rule,
      ),
    ).toBe(4)
  })

  test('a distance at the threshold is no alarm', () => {
    expect(
      alarmAt(
        [0, 0, 1].map((x) => point(x)),
        rule,
      ),
    ).toBeUndefined()
    expect(
      alarmAt(
        [0, 0, 0.99].map((x) => point(x)),
        rule,
      ),
    ).toBe(3)
  })

  test('an attack that knows it and spreads its queries over accounts is never seen', () => {
    const rng = createRng(1, 'stream')
    const queries = Array.from({ length: 300 }, () => point(rng.uniform() / 10, rng.uniform() / 10))
    const neighbours = 10
    expect(alarmAt(queries, { neighbours, threshold: 1 })).toBe(neighbours + 1)
    for (let account = 0; account < 30; account++)
      expect(
        alarmAt(queries.slice(account * 10, account * 10 + 10), { neighbours, threshold: 1 }),
      ).toBeUndefined()
  })

  test.each([
    [{ neighbours: 0, threshold: 1 }, /neighbours must be a whole number of at least 1; got 0/],
    [{ neighbours: 1.5, threshold: 1 }, /neighbours must be a whole number/],
    [{ neighbours: 1, threshold: -1 }, /threshold must be at least 0; got -1/],
    [{ neighbours: 1, threshold: NaN }, /threshold must be at least 0; got NaN/],
  ])('refuses %j', (wrong, message) => expect(() => new QueryWatch(wrong)).toThrow(message))
})

describe("Shapiro and Wilk's W", () => {
  test.each([
    [[1, 2, 4], 0.9642857],
    [[0.1, 0.5, 0.9, 1.4], 0.9935936],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9, 20], 0.8213614],
    // The weights of eleven men, Shapiro & Wilk 1965.
    [[148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236], 0.7888147],
  ])('of %j is as scipy 1.10 computes it', (values, wanted) => {
    expect(shapiroWilk(values)).toBeCloseTo(wanted, 5)
  })

  test('has nothing to say of equal values, and nothing at all of two', () => {
    expect(shapiroWilk([2, 2, 2, 2])).toBe(1)
    expect(() => shapiroWilk([1, 2])).toThrow(/needs at least 3 values; got 2/)
    expect(() => shapiroWilk([1, Infinity, 2])).toThrow(/must be finite; got Infinity as number 1/)
  })
})

describe('PRADA', () => {
  const honest = (seed: number) => {
    const rng = createRng(seed, 'honest')
    return Array.from({ length: 120 }, () => Float32Array.from({ length: 8 }, () => rng.normal()))
  }

  test('lets honest queries pass and closes an account whose queries are made from each other', () => {
    const rule = { delta: 0.9, atLeast: 40 }
    const quiet = new Prada(rule)
    expect(honest(1).some((query) => quiet.see(query, 0).alarm)).toBe(false)
    const loud = new Prada(rule)
    const made = honest(2).flatMap((query, i) =>
      i < 40 ? [query] : [query.map((v, k) => honest(2)[i % 40]![k]! + v / 50)],
    )
    expect(made.some((query) => loud.see(query, 0).alarm)).toBe(true)
  })

  test('compares queries of one answer only', () => {
    const prada = new Prada({ delta: 0.9, atLeast: 3 })
    expect(prada.see(point(0), 0).w).toBeUndefined()
    expect(prada.see(point(0), 1).w).toBeUndefined()
    expect(prada.see(point(0), 2).w).toBeUndefined()
    expect(prada.see(point(1), 0).w).toBeUndefined()
    expect(prada.see(point(3), 0).w).toBeUndefined()
    expect(prada.see(point(9), 0).w).toBeDefined()
  })

  test.each([
    [{ delta: 1, atLeast: 10 }, /delta must lie between 0 and 1; got 1/],
    [{ delta: 0.9, atLeast: 2 }, /atLeast must be a whole number of at least 3; got 2/],
  ])('refuses %j', (wrong, message) => expect(() => new Prada(wrong)).toThrow(message))
})
