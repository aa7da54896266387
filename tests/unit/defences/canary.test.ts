import { describe, expect, test } from 'vitest'
import { readCanaries, RetrainingMonitor } from '../../../src/defences/detection/canary.ts'

const truth = new Array<number>(40).fill(1)
const reads = (right: number) => truth.map((_, i) => Number(i < right))

describe('canaries', () => {
  test('alarm when more are lost than chance explains', () => {
    // Eight lost and none gained: two-sided, 2 · ½⁸.
    expect(readCanaries(truth, reads(30), reads(22))).toEqual({
      before: 0.75,
      after: 0.55,
      lost: 8,
      gained: 0,
      pValue: expect.closeTo(2 / 256, 12) as number,
      alarm: true,
    })
  })

  test('keep quiet about a few, about as many gained, and about a better model', () => {
    expect(readCanaries(truth, reads(30), reads(27)).alarm).toBe(false)
    expect(readCanaries(truth, reads(22), reads(30)).alarm).toBe(false)
    const swapped = truth.map((_, i) => Number(i >= 20))
    expect(readCanaries(truth, reads(20), swapped)).toMatchObject({ lost: 20, gained: 20, alarm: false })
    expect(readCanaries(truth, reads(30), reads(30))).toMatchObject({ pValue: 1, alarm: false })
  })

  test('the monitor compares with the first model, so that small steps add up', () => {
    const monitor = new RetrainingMonitor(truth, reads(36))
    const accepted = [34, 32, 30, 28, 26].map((right) => monitor.see(reads(right)).accepted)
    expect(accepted).toEqual([true, true, true, false, false])
    expect(monitor.history.map(({ lost }) => lost)).toEqual([2, 4, 6, 8, 10])
  })

  test('refuses lists that do not fit and a level that is none', () => {
    expect(() => readCanaries([], [], [])).toThrow('equally many labels, at least one; got 0')
    expect(() => readCanaries([1], [1], [1, 1])).toThrow('1 before and 2 after')
    expect(() => readCanaries([1], [1], [1], 1)).toThrow(RangeError)
    expect(() => new RetrainingMonitor(truth, [1])).toThrow('40 true ones, 1 before')
  })
})
