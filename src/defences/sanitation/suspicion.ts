/**
 * What every filter of a training set says: how suspicious each row is, and which ones its rule would act on.
 */
import { PerturbError } from '../../core/errors.ts'
import { copyRows, type LabelledRows } from '../../data/labelled-rows.ts'

export interface Suspicion {
  /** One a row, in the data's order; the higher, the more suspicious. */
  scores: Float64Array
  /** Ids of the rows that the filter's own rule picks out, in the data's order. */
  flaggedIds: Int32Array
}

/** Rows whose score is at least the threshold. */
export function flagFrom(
  data: Pick<LabelledRows, 'ids'>,
  scores: Float64Array,
  threshold: number,
): Suspicion {
  return { scores, flaggedIds: data.ids.filter((_, place) => scores[place]! >= threshold) }
}

/** The `count` rows with the highest scores; of equals the earlier. */
export function flagTop(data: Pick<LabelledRows, 'ids'>, scores: Float64Array, count: number): Suspicion {
  const picked = new Set(highestFirst(scores).slice(0, count))
  return { scores, flaggedIds: data.ids.filter((_, place) => picked.has(place)) }
}

/** Places in the order of their scores, highest first, equals in their own order. */
export const highestFirst = (scores: ArrayLike<number>): number[] =>
  Array.from({ length: scores.length }, (_, place) => place).sort((a, b) => scores[b]! - scores[a]! || a - b)

/**
 * The data with new labels for these rows: what is left to do when most rows of a class were flipped, for
 * dropping them does not bring the class back. Throws `bad-input` for an id that is not there and a label
 * that is no class.
 */
export function relabelled(
  data: LabelledRows,
  ids: ArrayLike<number>,
  labels: ArrayLike<number>,
): LabelledRows {
  const fail = (what: string) => new PerturbError('bad-input', `relabelled: ${what}`)
  if (ids.length !== labels.length)
    throw fail(`expected a label for each of the ${ids.length} rows; got ${labels.length}`)
  const result = copyRows(data)
  const places = new Map(Array.from(data.ids, (id, place) => [id, place]))
  for (let i = 0; i < ids.length; i++) {
    const [place, label] = [places.get(ids[i]!), labels[i]!]
    if (place === undefined) throw fail(`no row has the id ${ids[i]}`)
    if (!(Number.isInteger(label) && label >= 0 && label < data.numClasses))
      throw fail(`the label of row ${ids[i]} must be a class from 0 to ${data.numClasses - 1}; got ${label}`)
    result.labels[place] = label
  }
  return result
}
