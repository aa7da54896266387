/**
 * k-NN label sanitation: a row whose nearest neighbours agree on another label is given that one. Paudice,
 * Muñoz-González, Lupu 2018, "Label Sanitization against Label Flipping Poisoning Attacks", Alg. 2,
 * arXiv:1803.00992.
 *
 * Differs from the paper: below a confidence of one half the most common *other* label counts, also where the
 * row's own is commoner: of frauds, which are few everywhere, no neighbourhood has a majority. Evaded by
 * whoever flips a whole neighbourhood, or a row that stands alone (targeted-flip's `isolated`).
 */
import { NeighbourIndex } from '../../core/neighbours.ts'
import { nextTask } from '../../core/platform.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import { checkRows, rowOf, rowSize, type LabelledRows } from '../../data/labelled-rows.ts'
import type { Suspicion } from './suspicion.ts'

export interface KnnOptions {
  /** How many nearest rows are asked; the paper's k. */
  neighbours: number
  /** Share of them that must agree on another label; the paper's η, there from 0.5 to 1. */
  confidence: number
}

export interface KnnSuspicion extends Suspicion {
  /**
   * For each row the commonest label, other than its own, of its neighbours: what it would be relabelled as.
   */
  suggested: Int32Array
  /** Share of each row's neighbours that have its own label. */
  own: Float64Array
}

/**
 * Scores are shares from 0 to 1. Distances are Euclidean between the rows as they are: bring columns to one
 * scale first. Of equally common labels the smaller class is suggested. A row has fewer neighbours when the
 * set has. Throws RangeError when neighbours is not a whole number of at least 1 or confidence not in (0, 1];
 * `bad-input` for data that do not fit, NaN among them.
 */
export async function knnSuspicion(
  data: LabelledRows,
  { neighbours, confidence }: KnnOptions,
  run: RunContext,
): Promise<KnnSuspicion> {
  if (!(Number.isInteger(neighbours) && neighbours >= 1))
    throw new RangeError(`knn: neighbours must be a whole number of at least 1; got ${neighbours}`)
  if (!(confidence > 0 && confidence <= 1))
    throw new RangeError(`knn: confidence must lie above 0 and at most at 1; got ${confidence}`)
  checkRows('knn', data)
  const rows = data.ids.length
  const index = new NeighbourIndex(data.x, rowSize(data))
  const scores = new Float64Array(rows)
  const suggested = new Int32Array(rows)
  const own = new Float64Array(rows)
  for (let place = 0; place < rows; place++) {
    if (place % 256 === 0) {
      await nextTask()
      throwIfCancelled(run)
      run.onStep?.(place + 1, rows)
    }
    const { places } = index.nearest(rowOf(data, place), neighbours, place)
    const votes = new Int32Array(data.numClasses)
    for (const other of places) votes[data.labels[other]!]! += 1
    let best = data.labels[place] === 0 ? 1 : 0
    for (let k = 0; k < votes.length; k++) if (k !== data.labels[place] && votes[k]! > votes[best]!) best = k
    suggested[place] = best
    own[place] = places.length > 0 ? votes[data.labels[place]!]! / places.length : 0
    scores[place] = places.length > 0 ? votes[best]! / places.length : 0
  }
  const flaggedIds = data.ids.filter((_, place) => scores[place]! >= confidence)
  return { scores, flaggedIds, suggested, own }
}
