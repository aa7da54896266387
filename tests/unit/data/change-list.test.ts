import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { dropped, rowsOfSplit, withChanges } from '../../../src/data/change-list.ts'
import { featureValue } from '../../../src/data/data-set.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import { nearestRows, shareAmongNeighbours } from '../../../src/data/nearest-rows.ts'
import type { LabelledRows } from '../../../src/data/labelled-rows.ts'
import { splitOfRows } from '../../../src/models/train-on-rows.ts'

beforeAll(() => startBackend('cpu', readStatic))

/** Four rows of two numbers, by ids that are no places. */
const rows = (): LabelledRows => ({
  ids: Int32Array.of(10, 11, 20, 21),
  x: Float32Array.of(0, 0, 0, 0.1, 1, 1, 1, 0.9),
  shape: [1, 2, 1],
  labels: Int32Array.of(0, 0, 1, 1),
  numClasses: 2,
})

describe('changes to a training set', () => {
  test('give rows another label, other numbers, or take them out, and leave the original alone', () => {
    const original = rows()
    const changed = withChanges(original, {
      ids: [20, 11],
      labels: [0, dropped],
      values: Float32Array.of(0.5, 0.25, 0, 0),
    })
    expect([...changed.ids]).toEqual([10, 20, 21])
    expect([...changed.labels]).toEqual([0, 0, 1])
    expect([...changed.x.slice(2, 4)]).toEqual([0.5, 0.25])
    expect(original).toEqual(rows())
  })

  test('of rows that are not there are refused by name', () => {
    expect(() => withChanges(rows(), { ids: [12], labels: [0] })).toThrow(/no row 12/)
  })

  test('made twice in the other direction are as if they never were', () => {
    fc.assert(
      fc.property(fc.subarray([10, 11, 20, 21]), (ids) => {
        const label = (id: number) => rows().labels[[...rows().ids].indexOf(id)]!
        const there = withChanges(rows(), { ids, labels: ids.map((id) => 1 - label(id)) })
        expect(withChanges(there, { ids, labels: ids.map(label) })).toEqual(rows())
      }),
    )
  })

  test('reach the split that is trained on, by place', () => {
    const split = splitOfRows(withChanges(rows(), { ids: [10], labels: [dropped] }))
    expect(split.count).toBe(3)
    expect([...split.labels]).toEqual([0, 1, 1])
    expect([...split.pixels([2, 0])]).toEqual([1, Math.fround(0.9), 0, Math.fround(0.1)])
    const images = split.images([0])
    expect(images.shape).toEqual([1, 1, 2, 1])
    images.dispose()
  })
})

test('neighbours and their labels, by hand', () => {
  const near = nearestRows(rows(), 1)
  expect([...near]).toEqual([1, 0, 3, 2])
  expect([...shareAmongNeighbours(near, [0, 1, 1, 1], 1)]).toEqual([1, 0, 1, 1])
  expect(() => nearestRows(rows(), 4)).toThrow(RangeError)
})

describe('the simulated transactions', () => {
  test('are rows of features, with enough fraud to measure a recall, and called simulated', async () => {
    const data = await loadDataSet('transactions', readStatic)
    expect(data).toMatchObject({ noun: 'payment', classes: ['honest', 'fraud'], isSimulated: true })
    expect(data.features).toHaveLength(15)
    const frauds = (labels: Uint8Array) => labels.filter((label) => label === 1).length
    expect(frauds(data.test.labels)).toBeGreaterThanOrEqual(250)
    const share = frauds(data.train.labels) / data.train.count
    expect(share).toBeGreaterThan(0.017)
    expect(share).toBeLessThan(0.021)
    const { x, labels } = rowsOfSplit(data, 'train', [0, 5], [1, 0])
    expect([...labels]).toEqual([1, 0])
    expect(x).toHaveLength(30)
    const amount = data.features!.find(({ name }) => name === 'amount')!
    expect(featureValue(amount, 0)).toBeCloseTo(Math.expm1(amount.low))
    const flag = data.features!.find(({ scale }) => scale === 'flag')!
    expect(featureValue(flag, 1)).toBe(1)
  })
})
