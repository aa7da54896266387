/**
 * A training set as plain arrays: what a poisoner is given, what it hands back, what a sanitiser reads and a
 * referee trains on. Images and table rows alike; nothing of it lives on a device.
 */
import { PerturbError } from '../core/errors.ts'

export interface LabelledRows {
  /**
   * Whole numbers that name the rows, each once: a row keeps its id when it is changed, a new row gets a new
   * one.
   */
  readonly ids: Int32Array
  /** Row-major, ids.length × size numbers. */
  readonly x: Float32Array
  /** Shape of one row: [28, 28, 1] for an image, [15] for a row of a table. */
  readonly shape: readonly number[]
  /** One class a row, from 0 to numClasses − 1. */
  readonly labels: Int32Array
  readonly numClasses: number
}

/** How many numbers one row has. */
export const rowSize = ({ shape }: Pick<LabelledRows, 'shape'>): number =>
  shape.reduce((product, n) => product * n, 1)

/** The numbers of a row, by its place (not its id): a view, not a copy. */
export function rowOf(data: LabelledRows, place: number): Float32Array {
  const size = rowSize(data)
  return data.x.subarray(place * size, (place + 1) * size)
}

/** A copy that may be written to; the original stays as it is. */
export const copyRows = (data: LabelledRows): LabelledRows => ({
  ...data,
  ids: data.ids.slice(),
  x: data.x.slice(),
  labels: data.labels.slice(),
})

/** The rows at these places, in that order, copied. */
export function takeRows(data: LabelledRows, places: ArrayLike<number>): LabelledRows {
  const size = rowSize(data)
  const x = new Float32Array(places.length * size)
  for (let i = 0; i < places.length; i++) x.set(rowOf(data, places[i]!), i * size)
  return {
    ...data,
    x,
    ids: Int32Array.from(places, (place) => data.ids[place]!),
    labels: Int32Array.from(places, (place) => data.labels[place]!),
  }
}

/** All rows but those with these ids: what is left when a filter has dropped them. */
export function withoutRows(data: LabelledRows, ids: Iterable<number>): LabelledRows {
  const dropped = new Set(ids)
  return takeRows(
    data,
    Array.from(data.ids.keys()).filter((place) => !dropped.has(data.ids[place]!)),
  )
}

/** How many rows each class has. */
export function classCounts({ labels, numClasses }: Pick<LabelledRows, 'labels' | 'numClasses'>): Int32Array {
  const counts = new Int32Array(numClasses)
  for (const label of labels) counts[label]! += 1
  return counts
}

/** The places of the rows of one class, in order. */
export const placesOf = ({ labels }: Pick<LabelledRows, 'labels'>, label: number): number[] =>
  Array.from(labels.keys()).filter((place) => labels[place] === label)

/**
 * Throws `bad-input`, in the name of `who`, when the arrays do not fit together, an id comes twice, a label
 * is no class, or a number of x is not finite (the row is named by its id). An empty set is refused too.
 */
export function checkRows(who: string, data: LabelledRows): void {
  const fail = (what: string) => new PerturbError('bad-input', `${who}: ${what}`)
  const { ids, x, labels, shape, numClasses } = data
  const size = rowSize(data)
  if (!(Number.isInteger(size) && size > 0))
    throw fail(`a row's shape must be whole numbers above 0; got [${shape.join(', ')}]`)
  if (!(Number.isInteger(numClasses) && numClasses >= 2))
    throw fail(`the data must have at least two classes; got ${numClasses}`)
  if (ids.length === 0) throw fail('the data set is empty; give it at least one row')
  if (labels.length !== ids.length || x.length !== ids.length * size)
    throw fail(
      `${ids.length} ids need as many labels and ${ids.length * size} numbers; got ${labels.length} and ${x.length}`,
    )
  const seen = new Set<number>()
  for (const [place, id] of ids.entries()) {
    if (seen.has(id)) throw fail(`the id ${id} names two rows; each row needs its own`)
    seen.add(id)
    const label = labels[place]!
    if (!(label >= 0 && label < numClasses))
      throw fail(`the label of row ${id} must be a class from 0 to ${numClasses - 1}; got ${label}`)
  }
  const bad = x.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0)
    throw fail(
      `row ${ids[Math.floor(bad / size)]} holds ${x[bad]} as its number ${bad % size}; every number must be finite, so drop or repair the row first`,
    )
}
