import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exp, log } from '../../../src/core/portable-math.ts'
import {
  betaCdf,
  betaQuantile,
  binomialLowerBound,
  binomialUpperBound,
  fairCoinTest,
  logGamma,
  normalQuantile,
} from '../../../src/core/statistics.ts'

const relative = (got: number, expected: number) => Math.abs(got / expected - 1)

describe('portable logarithm and exponential', () => {
  test('are within rounding of the engine’s own, wherever those are finite', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-300, max: 1e300, noNaN: true }),
        (x) => relative(log(x), Math.log(x)) < 1e-15 || x === 1,
      ),
    )
    fc.assert(
      fc.property(
        fc.double({ min: -700, max: 700, noNaN: true }),
        (x) => relative(exp(x), Math.exp(x)) < 1e-15,
      ),
    )
    for (let i = -1000; i <= 1000; i++)
      if (i !== 0) expect(relative(log(1 + i / 1e5), Math.log(1 + i / 1e5))).toBeLessThan(1e-15)
  })

  test('know the ends', () => {
    expect([log(0), log(1), log(Infinity), exp(0), exp(-800), exp(800)]).toEqual([
      -Infinity,
      0,
      Infinity,
      1,
      0,
      Infinity,
    ])
    expect([log(-1), log(NaN), exp(NaN)]).toEqual([NaN, NaN, NaN])
    expect(relative(exp(-740), Math.exp(-740))).toBeLessThan(0.1)
  })
})

describe('statistics', () => {
  test('normalQuantile gives the quantiles of the tables, and is odd about a half', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14)
    expect(normalQuantile(0.8413447460685429)).toBeCloseTo(1, 14)
    expect(normalQuantile(1e-12)).toBeCloseTo(-7.034483825301131, 13)
    expect([normalQuantile(0), normalQuantile(0.5), normalQuantile(1)]).toEqual([-Infinity, 0, Infinity])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 20 }), (k) => {
        const p = k / 2 ** 21
        expect(normalQuantile(p)).toBeCloseTo(-normalQuantile(1 - p), 12)
      }),
    )
  })

  test('logGamma counts permutations', () => {
    let factorial = 1
    for (let n = 1; n <= 20; n++) {
      expect(logGamma(n)).toBeCloseTo(Math.log(factorial), 12)
      factorial *= n
    }
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 14)
  })

  test('betaCdf adds up a binomial’s upper tail', () => {
    // P(at least 3 of 5) at 0.3 = 10·0.3³·0.7² + 5·0.3⁴·0.7 + 0.3⁵.
    expect(betaCdf(0.3, 3, 3)).toBeCloseTo(0.16308, 14)
    expect([betaCdf(0, 2, 3), betaCdf(1, 2, 3)]).toEqual([0, 1])
    expect(betaCdf(0.25, 1, 1)).toBeCloseTo(0.25, 15)
  })

  const counts = fc
    .integer({ min: 1, max: 3000 })
    .chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)))
  const alphas = fc.constantFrom(0.001, 0.01, 0.05, 0.3)

  test('betaQuantile undoes betaCdf', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }),
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 1, max: 2000 }),
        (p, a, b) => {
          expect(betaCdf(betaQuantile(p, a, b), a, b)).toBeCloseTo(p, 8)
        },
      ),
    )
  })

  test('the lower bound lies below the share, grows with the hits, and is the upper bound’s mirror', () => {
    fc.assert(
      fc.property(counts, alphas, ([k, n], alpha) => {
        const lower = binomialLowerBound(k, n, alpha)
        expect(lower).toBeLessThanOrEqual(k / n)
        if (k > 0) expect(lower).toBeGreaterThan(binomialLowerBound(k - 1, n, alpha))
        expect(binomialUpperBound(n - k, n, alpha)).toBeCloseTo(1 - lower, 12)
      }),
    )
  })

  test('by hand: all of n gives the n-th root of alpha; none gives nothing', () => {
    expect(binomialLowerBound(10, 10, 0.001)).toBeCloseTo(0.001 ** 0.1, 14)
    expect(binomialLowerBound(0, 10, 0.001)).toBe(0)
    // One of two: P(at least 1 of 2) = 1 − (1 − p)² = ¾ at p = ½.
    expect(binomialLowerBound(1, 2, 0.75)).toBeCloseTo(0.5, 14)
  })

  test('a fair coin: 8 of 10 happens in 11 % of the cases, either way round', () => {
    expect(fairCoinTest(8, 10)).toBeCloseTo((2 * (45 + 10 + 1)) / 1024, 14)
    expect(fairCoinTest(2, 10)).toBe(fairCoinTest(8, 10))
    expect([fairCoinTest(5, 10), fairCoinTest(0, 1)]).toEqual([1, 1])
  })

  test.each([
    () => normalQuantile(1.2),
    () => normalQuantile(NaN),
    () => betaQuantile(-1, 1, 1),
    () => betaQuantile(0.5, 0, 1),
    () => betaCdf(2, 1, 1),
    () => logGamma(0),
    () => binomialLowerBound(11, 10, 0.1),
    () => binomialLowerBound(1.5, 10, 0.1),
    () => binomialLowerBound(1, 0, 0.1),
    () => binomialLowerBound(1, 10, 0),
    () => fairCoinTest(-1, 10),
  ])('%s is refused', (wrong) => expect(wrong).toThrow(RangeError))
})
