import { expect, test } from 'vitest'
import type { DataSet } from '../../../src/data/data-set.ts'
import type { Task } from '../../../src/grading/grader.ts'
import type { ShopSpec } from '../../../src/grading/shop.ts'
import { extremeChanges } from '../../../src/labs/extremes.ts'

const good = { kind: 'change-list' as const, ids: [5], labels: [1] }
const dataset = {
  classes: ['honest', 'odd', 'fraud'],
  ratings: { known: { numUsers: 4 } },
} as unknown as DataSet
const task = {
  ids: [5, 6, 7],
  labels: [0, 2, 2],
  training: { positive: 2 },
} as unknown as Task
const listed = (own: Partial<Task>) =>
  extremeChanges({ ...task, ...own }, good, dataset).map(({ name, artefact: { ids, labels } }) => [
    name,
    ids,
    labels,
  ])

test('rows: nothing, every label to the next class, the watched class emptied, and away with all where that may be', () => {
  const always = [
    ['no change at all', [], []],
    ['every label turned', [5, 6, 7], [1, 0, 0]],
    ['a class emptied', [6, 7], [0, 0]],
  ]
  expect(listed({})).toEqual(always)
  expect(listed({ changes: { drops: true } })).toEqual([
    ...always,
    ['a class thrown away', [6, 7], [-1, -1]],
    ['every row thrown away', [5, 6, 7], [-1, -1, -1]],
  ])
})

test('a shop: nobody, or everybody, the invented ones too', () => {
  const shop: ShopSpec = {
    recommender: { kind: 'item-knn', neighbours: 1, shrink: 0, indifferent: 2 },
    target: 0,
    handIn: { kind: 'profiles', most: 3 },
  }
  expect(listed({ shop })).toEqual([['no change at all', [], []]])
  const invented = { profiles: [[{ item: 0, value: 5 }]], numbers: [0, 1, 2, 3, 4] }
  expect(listed({ shop: { ...shop, handIn: { kind: 'shoppers' }, invented } })).toEqual([
    ['no change at all', [], []],
    ['every shopper left out', [0, 1, 2, 3, 4], [-1, -1, -1, -1, -1]],
  ])
})

test('a trigger that is asked for comes along, on every changed row', () => {
  const trigger = { kind: 'wave' as const, amplitude: 0.1, frequency: 6, along: 'width' as const }
  const own = { ...task, changes: { trigger: true } }
  for (const { artefact } of extremeChanges(own, { ...good, trigger, stamped: [5] }, dataset))
    expect(artefact).toMatchObject({ trigger, stamped: artefact.ids })
})
