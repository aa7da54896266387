/** Changes to a training set, row by row: what a poisoner or an auditor hands in, and how it is applied. */
import { PerturbError } from '../core/errors.ts'
import type { DataSet } from './data-set.ts'
import { copyRows, rowSize, takeRows, type LabelledRows } from './labelled-rows.ts'
import type { Profile } from './ratings.ts'

export interface ChangeList {
  /** Rows by id, each once. */
  ids: number[]
  /** The new label of each, or `dropped`. */
  labels: number[]
  /** New numbers for each of these rows, one row after another. */
  values?: Float32Array
}

/** In place of a label: the row is taken out. */
export const dropped = -1

/** The rows of a split, with labels of one's own where they are given. */
export function rowsOfSplit(
  dataset: DataSet,
  splitName: 'train' | 'test',
  ids: ArrayLike<number>,
  labels?: ArrayLike<number>,
): LabelledRows {
  const { shape, classes, [splitName]: split } = dataset
  return {
    ids: Int32Array.from(ids),
    x: split.pixels(ids),
    shape,
    labels: Int32Array.from(labels ?? Array.from(ids, (id) => split.labels[id]!)),
    numClasses: classes.length,
  }
}

/** A copy with the changes made. Throws `bad-input` for an id that no row has. */
export function withChanges(rows: LabelledRows, { ids, labels, values }: ChangeList): LabelledRows {
  const places = new Map(Array.from(rows.ids, (id, place) => [id, place]))
  const changed = copyRows(rows)
  const size = rowSize(rows)
  const gone = new Set<number>()
  for (const [i, id] of ids.entries()) {
    const place = places.get(id)
    if (place === undefined)
      throw new PerturbError('bad-input', `changes: there is no row ${id} in this training set`)
    if (labels[i] === dropped) gone.add(place)
    else changed.labels[place] = labels[i]!
    if (values) changed.x.set(values.subarray(i * size, (i + 1) * size), place * size)
  }
  if (gone.size === 0) return changed
  return takeRows(
    changed,
    Array.from(changed.ids.keys()).filter((place) => !gone.has(place)),
  )
}

/**
 * What invented users rate, as changes: each of their ratings fills an empty cell of the table. The id of a cell is the
 * user's place among the invented ones times this, plus the item; its label is the rating, a whole number.
 */
export const profileStride = 65_536

export function profileChanges(profiles: readonly Profile[]): ChangeList {
  const cells = profiles.flatMap((profile, user) =>
    profile.map(({ item, value }) => ({ id: user * profileStride + item, value })),
  )
  return { ids: cells.map(({ id }) => id), labels: cells.map(({ value }) => value) }
}

/** The profiles of a list of such changes; one that has no rating is nobody, and is left out. */
export function profilesOf({ ids, labels }: ChangeList): Profile[] {
  const byUser = new Map<number, { item: number; value: number }[]>()
  for (const [i, id] of ids.entries()) {
    const user = Math.floor(id / profileStride)
    const own = byUser.get(user) ?? []
    byUser.set(user, own)
    own.push({ item: id % profileStride, value: labels[i]! })
  }
  return [...byUser.keys()].sort((a, b) => a - b).map((user) => byUser.get(user)!)
}
