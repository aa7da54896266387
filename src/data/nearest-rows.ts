import { NeighbourIndex } from '../core/neighbours.ts'
import { rowOf, rowSize, type LabelledRows } from './labelled-rows.ts'

/**
 * The k nearest other rows of each row, nearest first: places, k a row. It does not look at labels, so one search holds
 * for the same rows under any labels. Throws RangeError unless k is a whole number from 1 to one less than the rows.
 */
export function nearestRows(rows: LabelledRows, k: number): Int32Array {
  const count = rows.ids.length
  if (!(Number.isInteger(k) && k >= 1 && k < count))
    throw new RangeError(`nearestRows: k must be a whole number from 1 to ${count - 1}; got ${k}`)
  const index = new NeighbourIndex(rows.x, rowSize(rows))
  const places = new Int32Array(count * k)
  for (let place = 0; place < count; place++)
    places.set(index.nearest(rowOf(rows, place), k, place).places, place * k)
  return places
}

/** For each row the share of its neighbours (`nearestRows`) that carry this label. */
export function shareAmongNeighbours(
  neighbours: Int32Array,
  labels: ArrayLike<number>,
  label: number,
): Float32Array {
  const k = neighbours.length / labels.length
  return Float32Array.from({ length: labels.length }, (_, row) => {
    let found = 0
    for (let i = row * k; i < (row + 1) * k; i++) if (labels[neighbours[i]!] === label) found++
    return found / k
  })
}
