import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { kMeans, silhouettes } from '../../../src/core/k-means.ts'
import { createRng } from '../../../src/core/rng.ts'
import { runs } from '../../helpers/runs.ts'

describe('kMeans', () => {
  test('parts two heaps, worked by hand', () => {
    const { of, sizes, inertia } = kMeans([0, 1, 10, 12, 14], 1, 2, { seed: 1 })
    expect([...of]).toEqual([0, 0, 1, 1, 1])
    expect([...sizes]).toEqual([2, 3])
    expect(inertia).toBeCloseTo(0.5 + 8, 12)
  })

  test('the first row is in cluster 0, whatever the seed', () => {
    for (let seed = 0; seed < 20; seed++)
      expect([...kMeans([9, 0, 1, 10], 1, 2, { seed }).of]).toEqual([0, 1, 1, 0])
  })

  test('each row is with its nearest centre, and more restarts are no worse', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 40 }), fc.nat(1e6), (rows, seed) => {
        const rng = createRng(seed)
        const x = Float64Array.from({ length: rows * 2 }, () => rng.normal())
        const few = kMeans(x, 2, 2, { seed, restarts: 1 })
        const many = kMeans(x, 2, 2, { seed, restarts: 12 })
        expect(many.inertia).toBeLessThanOrEqual(few.inertia + 1e-9)
        const centres = [0, 1].map((c) => {
          const own = [...many.of.keys()].filter((i) => many.of[i] === c)
          return [0, 1].map((k) => own.reduce((sum, i) => sum + x[2 * i + k]!, 0) / own.length)
        })
        many.of.forEach((own, i) => {
          const apart = centres.map(([a, b]) => (x[2 * i]! - a!) ** 2 + (x[2 * i + 1]! - b!) ** 2)
          expect(apart[own]!).toBeLessThanOrEqual(apart[1 - own]! + 1e-9)
        })
      }),
      { numRuns: runs(30) },
    )
  })

  test('equal rows leave a cluster empty', () => {
    expect([...kMeans([3, 3, 3], 1, 2, { seed: 1 }).sizes]).toEqual([3, 0])
  })

  test('refuses fewer rows than clusters, and NaN', () => {
    expect(() => kMeans([1], 1, 2, { seed: 1 })).toThrow('at least 2 rows of 1 finite numbers; got 1')
    expect(() => kMeans([1, NaN, 2], 1, 2, { seed: 1 })).toThrow('some not finite')
  })
})

describe('silhouettes', () => {
  test('worked by hand', () => {
    // Row 0: a = 1, b = 9.5; row 3 is alone in its cluster.
    const got = silhouettes([0, 1, 9, 10], 1, [0, 0, 1, 1])
    expect(got[0]).toBeCloseTo((9.5 - 1) / 9.5, 12)
    expect(got[1]).toBeCloseTo((8.5 - 1) / 8.5, 12)
    expect(silhouettes([0, 1, 5], 1, [0, 0, 1])[2]).toBe(0)
    expect([...silhouettes([0, 1], 1, [0, 0])]).toEqual([0, 0])
    expect([...silhouettes([2, 2, 2, 2], 1, [0, 0, 1, 1])]).toEqual([0, 0, 0, 0])
  })
})
