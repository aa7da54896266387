import { describe, expect, test } from 'vitest'
import {
  filterPoints,
  flagsOf,
  orderRows,
  readRowBenchSetup,
  sameChanges,
  sayValue,
  surprise,
} from '../../../src/app/row-bench.svelte.ts'

/** Four rows; class 1 is watched. */
const rows = {
  labels: Int32Array.of(1, 0, 1, 0),
  scores: Float32Array.of(0.9, 0.8, 0.1, 0.1),
  neighbours: Float32Array.of(0.2, 0.5, 0.5, 0),
  audited: Float32Array.of(0.1, 0.2, 0.3, 0.4),
}
const order = (by: Parameters<typeof orderRows>[1]) => [...orderRows(rows, by, 1, 3)]

describe('the row bench', () => {
  test('orders rows by what is known of them, equal ones as they lie', () => {
    expect(order('sure')).toEqual([0, 1, 2, 3])
    expect(order('unsure')).toEqual([2, 3, 1, 0])
    expect(order('neighbours')).toEqual([1, 2, 0, 3])
    expect(order('alone')).toEqual([3, 0, 1, 2])
    expect(order('audited')).toEqual([3, 2, 1, 0])
    // The surprise of a label: a fraud at 0.1 first, then an honest row at 0.8.
    expect(order('loss')).toEqual([2, 1, 0, 3])
    expect(order('chance').sort()).toEqual([0, 1, 2, 3])
    expect(order('chance')).toEqual(order('chance'))
  })

  test('flags who disagrees with a label: the model, the neighbours, a second look', () => {
    const row = { label: 1, score: 0.9, neighbours: 0.6, secondLabel: undefined }
    expect(flagsOf(row, 1)).toEqual([])
    expect(flagsOf({ ...row, score: 0.4 }, 1)).toEqual(['model'])
    expect(flagsOf({ ...row, neighbours: 0.4, secondLabel: 0 }, 1)).toEqual(['neighbours', 'second look'])
    expect(flagsOf({ ...row, label: 0 }, 1)).toEqual(['model', 'neighbours'])
    expect(flagsOf({ label: 0, score: 0.1, neighbours: 0.5, secondLabel: 0 }, 1)).toEqual([])
  })

  test('a surprise is never infinite', () => {
    expect(surprise(0)).toBeCloseTo(13.8, 1)
    expect(surprise(1)).toBeCloseTo(0)
  })

  test('what an order finds, by hand: precision falls as recall grows', () => {
    const points = filterPoints([5, 1, 7, 2], (place) => place === 5 || place === 2, 4)
    expect(points).toEqual([
      { marked: 1, precision: 1, recall: 0.5 },
      { marked: 2, precision: 0.5, recall: 0.5 },
      { marked: 3, precision: 1 / 3, recall: 0.5 },
      { marked: 4, precision: 0.5, recall: 1 },
    ])
    expect(filterPoints([1, 2], () => false)).toEqual([])
  })

  test('says a value as a person reads it', () => {
    const base = { name: 'amount', title: 'Amount', low: 0, high: 8 }
    expect(sayValue({ ...base, unit: '€', scale: 'log1p' }, 0.75)).toBe('402 €')
    expect(sayValue({ ...base, scale: 'linear' }, 0.5)).toBe('4.0')
    expect(sayValue({ ...base, scale: 'flag' }, 1)).toBe('yes')
    expect(sayValue({ ...base, name: 'count-1h', scale: 'linear', high: 3 }, 1)).toBe('3')
  })

  test('knows two lists of changes apart', () => {
    expect(sameChanges(new Map([[1, 0]]), new Map([[1, 0]]))).toBe(true)
    expect(sameChanges(new Map([[1, 0]]), new Map([[1, 1]]))).toBe(false)
    expect(sameChanges(new Map([[1, 0]]), new Map([[2, 0]]))).toBe(false)
  })

  test('reads its directive, and falls back on words that it knows', () => {
    expect(readRowBenchSetup({ checkpoint: 'a', columns: 'x  y', sort: 'loss', count: '9' })).toEqual({
      checkpoint: 'a',
      columns: ['x', 'y'],
      show: 'watched',
      sort: 'loss',
      count: 9,
    })
    expect(readRowBenchSetup({ sort: 'up' }).sort).toBe('chance')
  })
})
