import { describe, expect, it } from 'vitest'
import { measureEvasion, median } from '../../../src/metrics/evasion.ts'

const bounds = [0, 1] as const

describe('measureEvasion', () => {
  it('measures rows worked by hand in four norms', () => {
    const { rows, largest, successes, successRate, robustAccuracy, medianNorm } = measureEvasion({
      originals: Float32Array.of(0, 0, 0.5, 0.5, 1, 1),
      adversarial: Float32Array.of(0.25, 0, 0.5, 0.5, 0.25, 0),
      readAfter: [7, 3, 2],
      criterion: { kind: 'misclassification', labels: [1, 3, 5] },
      bounds,
    })
    expect(rows.map(({ norms }) => norms)).toEqual([
      { linf: 0.25, l2: 0.25, l1: 0.25, l0: 1 },
      { linf: 0, l2: 0, l1: 0, l0: 0 },
      { linf: 1, l2: 1.25, l1: 1.75, l0: 2 },
    ])
    expect(rows.map(({ success }) => success)).toEqual([true, false, true])
    expect(largest).toEqual({ linf: 1, l2: 1.25, l1: 1.75, l0: 2 })
    expect([successes, successRate, robustAccuracy]).toEqual([2, 2 / 3, 1 - 2 / 3])
    // Sizes 0.25 and 1.25, and an infinite one for the row that failed: the middle is 1.25.
    expect(medianNorm.l2).toBe(1.25)
  })

  it('asks a targeted row to be read as its target', () => {
    const { rows } = measureEvasion({
      originals: new Float32Array(2),
      adversarial: new Float32Array(2),
      readAfter: [4, 5],
      criterion: { kind: 'targeted', targets: [4, 4] },
      bounds,
    })
    expect(rows.map(({ success }) => success)).toEqual([true, false])
  })

  it('says how far a row leaves the range, and sees images in 0..255', () => {
    const { rows, outsideRows } = measureEvasion({
      originals: Float32Array.of(0, 1, 0, 1, 0, 1),
      adversarial: Float32Array.of(-0.25, 1, 0, 1.0000005, 0, 255),
      readAfter: [0, 0, 0],
      criterion: { kind: 'misclassification', labels: [1, 1, 1] },
      bounds,
    })
    expect(rows[0]!.outside).toBe(0.25)
    expect(rows[2]!.outside).toBe(254)
    expect(outsideRows).toBe(2)
  })

  it('never counts numbers that are not finite as success', () => {
    const base = {
      originals: new Float32Array(3),
      criterion: { kind: 'misclassification', labels: [1, 1, 1] } as const,
      bounds,
    }
    const pixels = measureEvasion({
      ...base,
      adversarial: Float32Array.of(Number.NaN, Infinity, 0.5),
      readAfter: [0, 0, 0],
    })
    expect(pixels.rows.map(({ success }) => success)).toEqual([false, false, true])
    expect(pixels.notFiniteRows).toBe(2)
    expect(pixels.outsideRows).toBe(2)
    const scores = measureEvasion({
      ...base,
      adversarial: new Float32Array(3),
      readAfter: [0, 0, 0],
      logitsAfter: [1, Number.NaN, 1, 2, Infinity, 2],
    })
    expect(scores.rows.map(({ success }) => success)).toEqual([false, true, false])
  })

  it('refuses arrays that do not fit together', () => {
    const criterion = { kind: 'misclassification', labels: [1, 1] } as const
    const measure = (originals: number, adversarial: number, rows: number) => () =>
      measureEvasion({
        originals: new Float32Array(originals),
        adversarial: new Float32Array(adversarial),
        readAfter: new Int32Array(rows),
        criterion,
        bounds,
      })
    expect(measure(4, 6, 2)).toThrow('expected two arrays of 2 rows of one size; got 4 and 6 elements')
    expect(measure(5, 5, 2)).toThrow('got 5 and 5 elements')
    expect(measure(4, 4, 4)).toThrow('4 rows were read, the criterion has 2')
  })

  it('takes no rows', () => {
    const nothing = measureEvasion({
      originals: new Float32Array(0),
      adversarial: new Float32Array(0),
      readAfter: [],
      criterion: { kind: 'targeted', targets: [] },
      bounds,
    })
    expect(nothing).toMatchObject({ successRate: 0, outsideRows: 0, rows: [] })
  })
})

describe('median', () => {
  it('takes the middle, the mean of two, and infinity', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(median([1, Infinity, Infinity])).toBe(Infinity)
    expect(median([Infinity, 1, Infinity, Infinity])).toBe(Infinity)
    expect(median([])).toBeNaN()
  })
})
