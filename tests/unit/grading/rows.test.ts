import { describe, expect, test } from 'vitest'
import { atLeast, atMost, conclude, rejected, unavailable } from '../../../src/grading/rows.ts'

const row = (measured: number, interval?: [number, number]) =>
  atLeast(80, { id: 'a', name: 'A', measured, unit: '%', ...(interval ? { interval } : {}) })

describe('rows', () => {
  test('passes on the bar and fails below it', () => {
    expect(row(80).status).toBe('passed')
    expect(row(79.999).status).toBe('failed')
    expect(atMost(3, { id: 'a', name: 'A', measured: 3 }).satisfied).toBe(true)
    expect(atMost(3, { id: 'a', name: 'A', measured: 3.01 }).satisfied).toBe(false)
  })

  test('a hard row forgives a float, in the direction of its bound only, and no more', () => {
    const linf = (measured: number) => atMost(0.25, { id: 'linf', name: 'L∞', measured, hard: true }).status
    expect(linf(0.25 + 9e-7)).toBe('passed')
    expect(linf(0.25 + 2e-6)).toBe('failed')
    expect(atLeast(10, { id: 'n', name: 'n', measured: 10 - 9e-7, hard: true }).status).toBe('passed')
    expect(atMost(0.25, { id: 'soft', name: 'soft', measured: 0.25 + 9e-7 }).status).toBe('failed')
  })

  test('is undecided exactly when the interval crosses the bar', () => {
    expect(row(82, [81, 84]).status).toBe('passed')
    expect(row(82, [79, 84]).status).toBe('undecided')
    expect(row(78, [76, 79]).status).toBe('failed')
    expect(row(80, [80, 84]).status).toBe('passed')
    expect(row(82, [79, 84]).satisfied).toBe(false)
  })

  test('refuses an interval on a hard row', () => {
    expect(() => atMost(1, { id: 'a', name: 'A', measured: 1, interval: [0, 2], hard: true })).toThrow(
      /takes no interval/,
    )
  })

  test.each([NaN, Infinity, -Infinity])('a figure of %s is unavailable, never a failure', (measured) => {
    const made = row(measured)
    expect(made.status).toBe('unavailable')
    expect(JSON.parse(JSON.stringify(made))).toEqual(made)
  })

  test('draws its bar inside the scale', () => {
    for (const value of [0, 0.001, 0.25, 21, 5000]) {
      const made = atMost(value, { id: 'a', name: 'A', measured: value * 3 })
      expect(made.scaleMax).toBeGreaterThan(value)
      expect(made.scaleMax).toBeGreaterThanOrEqual(value * 3)
    }
  })
})

describe('conclude', () => {
  const rows = { passed: row(90), failed: row(10), undecided: row(82, [79, 84]), unavailable: row(NaN) }
  test.each([
    [['passed', 'passed'], 'passed'],
    [['passed', 'failed'], 'failed'],
    [['undecided', 'passed'], 'undecided'],
    [['undecided', 'failed'], 'failed'],
    [['failed', 'unavailable'], 'unavailable'],
  ] as const)('%j makes %s', (names, status) => {
    expect(conclude({ headline: 'h', rows: names.map((name) => rows[name]) }).status).toBe(status)
  })

  test('what is malformed and what we cannot measure are told apart, each with a next step', () => {
    expect(rejected('why', 'Next: this.')).toMatchObject({
      status: 'rejected',
      headline: 'why',
      finding: { next: 'Next: this.' },
    })
    expect(unavailable('no device')).toMatchObject({ status: 'unavailable', finding: { cause: 'no device' } })
  })
})
