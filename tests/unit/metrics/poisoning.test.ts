import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  accuracyOf,
  areaUnderRoc,
  attackSuccess,
  classRecall,
  exposure,
  filterCurve,
  hitRate,
  measureFilter,
  recallAtFalseAlarms,
} from '../../../src/metrics/poisoning.ts'

describe('poisoning figures', () => {
  test('accuracy and recall of a class', () => {
    expect(accuracyOf([0, 1, 1, 2], [0, 1, 2, 2])).toBe(0.75)
    expect(classRecall([0, 1, 1, 2], [0, 1, 2, 2], 2)).toBe(0.5)
    expect(classRecall([0], [0], 1)).toBeNaN()
    expect(() => accuracyOf([], [])).toThrow('not empty')
  })

  test('attack success leaves out rows that are of the wanted class anyway, and classes it is not for', () => {
    const labels = [0, 1, 2, 3, 1]
    const read = [3, 3, 2, 3, 1]
    expect(attackSuccess(read, labels, () => 3)).toBe(0.5)
    expect(attackSuccess(read, labels, () => 3, [1])).toBe(0.5)
    expect(attackSuccess(read, labels, () => 3, [0])).toBe(1)
    expect(attackSuccess(read, labels, () => 3, [3])).toBeNaN()
    expect(attackSuccess([1, 2, 0], [0, 1, 2], (label) => (label + 1) % 3)).toBe(1)
  })

  test('recall at a fixed share of false alarms, worked by hand', () => {
    const scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
    const positive = [1, 0, 1, 0, 0, 1, 0]
    // Negatives 0.8, 0.6, 0.5, 0.3.
    expect(recallAtFalseAlarms(scores, positive, 0)).toEqual({ recall: 1 / 3, threshold: 0.8 })
    expect(recallAtFalseAlarms(scores, positive, 0.25)).toEqual({ recall: 2 / 3, threshold: 0.6 })
    expect(recallAtFalseAlarms(scores, positive, 1)).toEqual({ recall: 1, threshold: -Infinity })
    // A positive that scores no higher than the honest row at the threshold is not found.
    expect(recallAtFalseAlarms([0.5, 0.5, 0.7], [0, 1, 1], 0)).toEqual({ recall: 0.5, threshold: 0.5 })
  })

  test('it never alarms more often than it may', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.boolean()), { minLength: 4, maxLength: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (rows, share) => {
          const scores = [...rows.map(([score]) => score), 1, 2]
          const positive = [...rows.map(([, yes]) => yes), true, false]
          const { threshold } = recallAtFalseAlarms(scores, positive, share)
          const negatives = scores.filter((_, i) => !positive[i])
          expect(negatives.filter((score) => score > threshold).length).toBeLessThanOrEqual(
            share * negatives.length + 1e-9,
          )
        },
      ),
    )
  })

  test('it refuses one class alone and a model that diverged', () => {
    expect(() => recallAtFalseAlarms([1, 2], [1, 1], 0.1)).toThrow('positives and negatives; got 2 and 0')
    expect(() => recallAtFalseAlarms([1, NaN], [1, 0], 0.1)).toThrow('a score is NaN')
    expect(() => recallAtFalseAlarms([1, 2], [1, 0], 1.1)).toThrow(RangeError)
  })

  test('a filter by its precision, recall and price', () => {
    expect(measureFilter([1, 2, 3, 3], [2, 9], 12)).toEqual({
      flagged: 3,
      precision: 1 / 3,
      recall: 0.5,
      honestLost: 0.2,
    })
    expect(measureFilter([], [], 4)).toEqual({ flagged: 0, precision: 1, recall: 1, honestLost: 0 })
  })

  test('its curve ends with everything flagged, cuts equals together, and agrees with the measure', () => {
    const scores = [5, 1, 5, 3]
    const curve = filterCurve(scores, [1, 0, 0, 1])
    expect(curve.map(({ flagged, threshold }) => [flagged, threshold])).toEqual([
      [2, 5],
      [3, 3],
      [4, 1],
    ])
    expect(curve[0]).toMatchObject(measureFilter([0, 2], [0, 3], 4))
    expect(curve.at(-1)).toMatchObject({ precision: 0.5, recall: 1, honestLost: 1 })
  })

  test('the area under the ROC curve counts pairs, ties as halves', () => {
    expect(areaUnderRoc([1, 2, 3, 4], [0, 0, 1, 1])).toBe(1)
    expect(areaUnderRoc([1, 1, 1], [0, 1, 0])).toBe(0.5)
    expect(areaUnderRoc([3, 1, 2], [0, 1, 1])).toBe(0)
    expect(areaUnderRoc([3, 1], [1, 1])).toBeNaN()
    expect(() => areaUnderRoc([NaN, 1], [1, 0])).toThrow('a score is NaN')
  })

  test('exposure and hits of recommendation lists', () => {
    const lists = [
      [1, 2],
      [3, 1],
      [4, 5],
    ]
    expect(exposure(lists, 1)).toBe(2 / 3)
    expect(hitRate(lists, [2, 9, 4])).toBe(2 / 3)
  })
})
