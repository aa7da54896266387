import { describe, expect, test } from 'vitest'
import { readFilterBenchSetup, sameIds } from '../../../src/app/filter-bench.svelte.ts'
import {
  crowdsApart,
  cutCurve,
  droppedIds,
  embeddedRows,
  middleSpectrum,
  readFilterNames,
  thinned,
} from '../../../src/app/row-inspection.svelte.ts'
import { mostShrunk, readRecoverySetup, triggerOnGrey } from '../../../src/app/trigger-recovery.svelte.ts'

/** Four rows of two classes; ids are not places. */
const rows = {
  ids: Int32Array.of(10, 20, 30, 40),
  labels: Int32Array.of(0, 1, 0, 0),
  plane: Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  scores: { spectral: Float64Array.of(0.1, 0.9, 0.5, 0.5) },
  flagged: { spectral: Int32Array.of(20) },
}

describe('rows as the model sees them', () => {
  test('are those of one class, each with what is known of it', () => {
    expect(embeddedRows(rows, 0, new Set([30]), new Set([10, 20]))).toEqual([
      { place: 0, id: 10, x: 1, y: 2, isPoisoned: false, isFlagged: true },
      { place: 2, id: 30, x: 5, y: 6, isPoisoned: true, isFlagged: false },
      { place: 3, id: 40, x: 7, y: 8, isPoisoned: false, isFlagged: false },
    ])
    expect(embeddedRows(rows, 2, new Set(), new Set())).toEqual([])
  })

  test('lie so many spreads apart, by hand', () => {
    // The others have the middle (0, 0) and the spread 1; the crowd's middle is (0, 3).
    const others = [
      { x: -1, y: 0 },
      { x: 1, y: 0 },
    ]
    const crowd = [
      { x: 0, y: 2 },
      { x: 0, y: 4 },
    ]
    expect(crowdsApart(crowd, others)).toBeCloseTo(3)
    expect(crowdsApart(crowd, [{ x: 0, y: 0 }])).toBe(Infinity)
    expect(crowdsApart([], others)).toBeNaN()
  })

  test('have a spectrum to compare with: the middle of the other classes that have one', () => {
    expect(middleSpectrum([[9, 9], [3, 1], [5, 2, 1], [7, 3], []], 0)).toEqual([5, 2])
    expect(middleSpectrum([[9, 9]], 0)).toEqual([])
  })
})

describe('a cut', () => {
  test('drops the first by score, equal ones as they lie, or what the filter’s rule picks', () => {
    expect(droppedIds(rows, 'spectral', 3)).toEqual([20, 30, 40])
    expect(droppedIds(rows, 'spectral', 0)).toEqual([])
    expect(droppedIds(rows, 'spectral', undefined)).toEqual([20])
    expect(droppedIds(rows, 'strip', 3)).toEqual([])
  })

  test('has a precision and a recall, by hand', () => {
    const curve = cutCurve(rows.scores.spectral, rows.ids, new Set([20, 10]))
    expect(curve.map(({ flagged, precision, recall }) => [flagged, precision, recall])).toEqual([
      [1, 1, 0.5],
      [3, 1 / 3, 0.5],
      [4, 0.5, 1],
    ])
    expect(cutCurve(rows.scores.spectral, rows.ids, new Set())).toEqual([])
  })

  test('is drawn no further than four times the poison, and by a few points', () => {
    const scores = Float64Array.from({ length: 1000 }, (_, i) => -i)
    const ids = Int32Array.from({ length: 1000 }, (_, i) => i)
    const curve = cutCurve(scores, ids, new Set(Array.from({ length: 100 }, (_, i) => 2 * i)))
    expect(curve).toHaveLength(60)
    expect(curve[0]!.flagged).toBe(1)
    expect(curve.at(-1)!.flagged).toBe(401)
    expect(thinned([1, 2, 3], 5)).toEqual([1, 2, 3])
    expect(thinned([0, 1, 2, 3, 4], 3)).toEqual([0, 2, 4])
  })
})

describe('directives', () => {
  test('name filters, in the order of the list; all when none is known', () => {
    expect(readFilterNames('strip activation-clustering')).toEqual(['activation-clustering', 'strip'])
    expect(readFilterNames(undefined)).toHaveLength(4)
    expect(readFilterBenchSetup({ checkpoint: 'a', filters: 'strip', truth: 'true' })).toEqual({
      checkpoint: 'a',
      filters: ['strip'],
      truth: true,
    })
  })

  test('say how many steps a search takes', () => {
    expect(readRecoverySetup({ checkpoint: 'a', steps: '40' })).toEqual({ checkpoint: 'a', steps: 40 })
    expect(readRecoverySetup({ steps: 'many' }).steps).toBe(300)
    expect(readRecoverySetup({ steps: '-3' }).steps).toBe(1)
  })
})

test('two lists of drops are the same in whatever order', () => {
  expect(sameIds([1, 2], [2, 1])).toBe(true)
  expect(sameIds([1, 2], [1, 1])).toBe(false)
  expect(sameIds([1], [1, 2])).toBe(false)
})

test('a recovered patch on grey: covered pixels show the pattern, others stay grey', () => {
  expect([...triggerOnGrey([1, 0], [0.25, 0.75, 0, 1], [1, 2, 2])]).toEqual([0.25, 0.75, 0.5, 0.5])
})

test('the patch that shrank most is told against the clean model, once both were searched', () => {
  const sizes = (victim: number, control: number | undefined, label: number) => ({
    label,
    victim,
    control,
    index: 0,
  })
  expect(mostShrunk([sizes(30, 40, 0), sizes(25, 90, 1), sizes(20, 22, 2)])?.label).toBe(1)
  expect(mostShrunk([sizes(30, undefined, 0)])).toBeUndefined()
  expect(mostShrunk([])).toBeUndefined()
})
