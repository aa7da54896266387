import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  agreement,
  detectedAt,
  detectionRoc,
  measureFidelity,
  probabilityDistance,
  queriesToReach,
  queryEfficiencyCurve,
  transferRate,
  uniformInputs,
  weightError,
} from '../../../src/metrics/extraction.ts'

describe('agreement and fidelity', () => {
  test('worked by hand: a copy that repeats one of two mistakes', () => {
    const labels = [0, 1, 2, 3, 4]
    const victim = [0, 1, 2, 9, 8]
    const copy = [0, 1, 7, 9, 4]
    expect(agreement(victim, copy)).toBe(3 / 5)
    expect(measureFidelity(victim, copy, labels)).toEqual({
      agreement: 3 / 5,
      agreementOnMistakes: 1 / 2,
      victimAccuracy: 3 / 5,
      copyAccuracy: 3 / 5,
    })
  })

  test('of no rows is 0, of a victim without mistakes unknown, and rows must pair up', () => {
    expect(agreement([], [])).toBe(0)
    expect(measureFidelity([1], [1], [1]).agreementOnMistakes).toBeNaN()
    expect(() => agreement([1], [1, 2])).toThrow(/the same rows; got 1 and 2/)
    expect(() => measureFidelity([1], [1], [])).toThrow(/a label for each of 1 rows; got 0/)
  })

  test('the distance of probabilities is 0 for the same, 1 for opposites and for what is no number', () => {
    expect(probabilityDistance([0.5, 0.5, 1, 0], [0.25, 0.75, 1, 0], 2)).toBe(0.125)
    expect(probabilityDistance([1, 0], [0, 1], 2)).toBe(1)
    expect(probabilityDistance([1, 0], [NaN, 0], 2)).toBe(1)
    expect(() => probabilityDistance([1, 0], [1, 0, 0], 2)).toThrow(/the same rows of 2/)
    expect(() => probabilityDistance([], [], 2)).toThrow(/at least one/)
  })

  test('uniform inputs fill the bounds evenly, the same for the same seed', () => {
    const info = { inputShape: [2, 2, 1], bounds: [-1, 3] as const }
    const inputs = uniformInputs(500, info, 4)
    expect(inputs).toHaveLength(2000)
    expect(inputs).toEqual(uniformInputs(500, info, 4))
    expect(inputs).not.toEqual(uniformInputs(500, info, 5))
    expect(inputs.every((value) => value >= -1 && value <= 3)).toBe(true)
    for (const quarter of [0, 1, 2, 3]) {
      const share = inputs.filter((value) => Math.floor(value + 1) === quarter).length / 2000
      expect(share).toBeGreaterThan(0.2)
      expect(share).toBeLessThan(0.3)
    }
    expect(() => uniformInputs(1, { inputShape: [1], bounds: [-Infinity, 0] }, 1)).toThrow(/must be finite/)
  })
})

describe('weight error', () => {
  test('worked by hand', () => {
    expect(weightError([3, 4], [3, 6])).toMatchObject({ largest: 2, rms: Math.sqrt(2) })
    expect(weightError([3, 4], [6, 8]).misaligned).toBeCloseTo(0, 15)
    expect(weightError([1, 0], [0, 1]).misaligned).toBe(1)
  })

  test('never rewards what is not a number, nor nothing', () => {
    expect(weightError([1, 2], [1, NaN])).toEqual({ largest: Infinity, rms: Infinity, misaligned: 1 })
    expect(weightError([1, 2], [0, 0]).misaligned).toBe(1)
    expect(() => weightError([], [])).toThrow(/as many weights/)
    expect(() => weightError([1], [1, 2])).toThrow(/got 1 and 2/)
  })
})

describe('transfer rate', () => {
  test('counts rows that were read rightly, and with targets only hits', () => {
    const [before, after, labels] = [
      [0, 1, 2, 5],
      [9, 1, 4, 6],
      [0, 1, 2, 3],
    ]
    expect(transferRate(before!, after!, labels!)).toBe(2 / 3)
    expect(transferRate(before!, after!, labels!, [9, 9, 9, 9])).toBe(1 / 3)
    expect(transferRate([1], [2], [0])).toBeNaN()
    expect(() => transferRate([1], [], [1])).toThrow(/after must hold one class for each of 1 rows; got 0/)
  })
})

describe('the query efficiency curve', () => {
  const points = [
    { queries: 300, agreement: 0.7 },
    { queries: 100, agreement: 0.6 },
    { queries: 200, agreement: 0.55 },
    { queries: 100, agreement: 0.5 },
    { queries: NaN, agreement: 1 },
    { queries: 50, agreement: NaN },
  ]
  test('is in order and never falls, since a thief keeps the best copy', () => {
    expect(queryEfficiencyCurve(points)).toEqual([
      { queries: 100, agreement: 0.6 },
      { queries: 200, agreement: 0.6 },
      { queries: 300, agreement: 0.7 },
    ])
    expect(queryEfficiencyCurve([])).toEqual([])
  })
  test('says how many queries were enough', () => {
    expect(queriesToReach(points, 0.6)).toBe(100)
    expect(queriesToReach(points, 0.65)).toBe(300)
    expect(queriesToReach(points, 0.9)).toBeUndefined()
  })
})

describe('the detection curve', () => {
  test('worked by hand, with a tie', () => {
    const roc = detectionRoc([1, 2, 3], [3, 4])
    expect(roc.points).toEqual([
      { threshold: Infinity, falseAlarms: 0, detected: 0 },
      { threshold: 4, falseAlarms: 0, detected: 1 / 2 },
      { threshold: 3, falseAlarms: 1 / 3, detected: 1 },
      { threshold: 2, falseAlarms: 2 / 3, detected: 1 },
      { threshold: 1, falseAlarms: 1, detected: 1 },
    ])
    // Of 3 · 2 pairs the attack wins 5, and one is a tie.
    expect(roc.auc).toBeCloseTo(5.5 / 6, 14)
    expect(detectedAt(roc, 0)).toMatchObject({ threshold: 4, detected: 0.5 })
    expect(detectedAt(roc, 0.4)).toMatchObject({ threshold: 3, detected: 1 })
  })

  test('knows nothing of a score that is no number, and takes an infinite one', () => {
    expect(detectionRoc([NaN], [0]).auc).toBe(1)
    expect(detectionRoc([0], [NaN]).auc).toBe(0)
    expect(detectionRoc([0, 1], [Infinity])).toMatchObject({ auc: 1 })
    expect(detectedAt(detectionRoc([0, 1], [Infinity]), 0).detected).toBe(1)
  })

  test('the area is the share of pairs that are in order', () => {
    const scores = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(scores, scores, (benign, attacks) => {
        let wins = 0
        for (const a of attacks) for (const b of benign) wins += a > b ? 1 : a === b ? 0.5 : 0
        expect(detectionRoc(benign, attacks).auc).toBeCloseTo(wins / (benign.length * attacks.length), 12)
      }),
    )
  })

  test('needs both kinds, and a share', () => {
    expect(() => detectionRoc([], [1])).toThrow(/needs benign streams and attacks; got 0 and 1/)
    expect(() => detectedAt(detectionRoc([0], [1]), 2)).toThrow(/a share from 0 to 1; got 2/)
  })
})
