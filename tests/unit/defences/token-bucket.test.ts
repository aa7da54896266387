import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { secondsForRows, TokenBuckets } from '../../../src/defences/access/token-bucket.ts'

describe('a token bucket', () => {
  const rule = { size: 10, perSecond: 2 }

  test('worked by hand: a burst, a wait, and never more than the bucket holds', () => {
    const buckets = new TokenBuckets(rule, ['a'])
    expect(buckets.admit('a', 10, 100)).toEqual({ admitted: true })
    expect(buckets.admit('a', 3, 100)).toEqual({ admitted: false, why: 'too-fast', waitSeconds: 1.5 })
    expect(buckets.admit('a', 3, 101.5)).toEqual({ admitted: true })
    expect(buckets.admit('a', 10, 1000)).toEqual({ admitted: true })
    expect(buckets.admit('a', 1, 1000)).toMatchObject({ admitted: false, waitSeconds: 0.5 })
    expect(buckets.used('a')).toBe(23)
  })

  test('a refused request costs nothing', () => {
    const buckets = new TokenBuckets(rule, ['a'])
    expect(buckets.admit('a', 11, 0)).toEqual({ admitted: false, why: 'too-large', waitSeconds: Infinity })
    expect(buckets.admit('a', 10, 0)).toEqual({ admitted: true })
  })

  test('each key has its own, and a key that there is not has none', () => {
    const buckets = new TokenBuckets(rule, ['a', 'b'])
    expect(buckets.admit('a', 10, 0).admitted).toBe(true)
    expect(buckets.admit('b', 10, 0).admitted).toBe(true)
    expect(buckets.admit('c', 1, 0)).toEqual({ admitted: false, why: 'unknown-key', waitSeconds: Infinity })
    expect(buckets.used('c')).toBe(0)
  })

  test('a quota ends a key for good, however long one waits', () => {
    const buckets = new TokenBuckets({ ...rule, perKey: 12 }, ['a'])
    expect(buckets.admit('a', 10, 0).admitted).toBe(true)
    expect(buckets.admit('a', 3, 1e9)).toEqual({ admitted: false, why: 'quota', waitSeconds: Infinity })
    expect(buckets.admit('a', 2, 1e9).admitted).toBe(true)
  })

  test('lets through what the rule promises and no more, whatever the times', () => {
    const requests = fc.array(
      fc.record({ rows: fc.integer({ min: 1, max: 12 }), after: fc.double({ min: 0, max: 8, noNaN: true }) }),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(requests, (list) => {
        const buckets = new TokenBuckets(rule, ['a'])
        let now = 0
        for (const { rows, after } of list) {
          now += after
          const outcome = buckets.admit('a', rows, now)
          if (!outcome.admitted && outcome.why === 'too-fast') {
            now += outcome.waitSeconds * (1 + 1e-9) + 1e-9
            expect(buckets.admit('a', rows, now).admitted).toBe(true)
          }
        }
        expect(buckets.used('a')).toBeLessThanOrEqual(rule.size + rule.perSecond * now + 1e-6)
      }),
    )
  })

  test('the thief’s bill: so many seconds with so many keys', () => {
    expect(secondsForRows(rule, 1010, 1)).toBe(500)
    expect(secondsForRows(rule, 1010, 10)).toBe(45.5)
    expect(secondsForRows(rule, 5, 1)).toBe(0)
    expect(secondsForRows({ ...rule, perKey: 100 }, 1010, 10)).toBe(Infinity)
    expect(secondsForRows({ ...rule, perKey: 101 }, 1010, 10)).toBe(45.5)
  })

  test.each([
    [{ size: 0, perSecond: 1 }, /size must be at least 1; got 0/],
    [{ size: 1, perSecond: 0 }, /perSecond must be positive; got 0/],
    [{ size: 1, perSecond: NaN }, /perSecond must be positive; got NaN/],
    [{ size: 1, perSecond: 1, perKey: 1.5 }, /perKey must be a whole number/],
  ])('refuses %j', (wrong, message) => expect(() => new TokenBuckets(wrong, [])).toThrow(message))

  test('refuses times that run backwards, and no rows at all', () => {
    const buckets = new TokenBuckets(rule, ['a'])
    buckets.admit('a', 1, 10)
    expect(() => buckets.admit('a', 1, 9)).toThrow(/run forwards; got 9 after 10/)
    expect(() => buckets.admit('a', 1, NaN)).toThrow(/finite/)
    expect(() => buckets.admit('a', 0, 11)).toThrow(/rows must be a whole number of at least 1; got 0/)
  })
})
