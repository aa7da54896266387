/**
 * Loss-based filtering: models that have not seen a row say how little they believe its label. Each row is
 * judged by the model trained on the other folds (Northcutt, Jiang, Chuang 2021, "Confident Learning", §3,
 * arXiv:1911.00068); the rows of the highest loss are dropped or reviewed, as in Jagielski et al. 2018,
 * "Manipulating Machine Learning", §5 (TRIM), arXiv:1804.00308.
 *
 * Honest rows that are hard have a high loss too: what is flagged wants a look, and its price is measured.
 */
import { PerturbError } from '../../core/errors.ts'
import { exp, log } from '../../core/portable-math.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import { checkRows, takeRows, type LabelledRows } from '../../data/labelled-rows.ts'
import { wholeShare } from '../../attacks/flips.ts'
import { foldsOf, readLogits, type Fit } from './fit.ts'
import { flagTop, type Suspicion } from './suspicion.ts'

export interface LossOptions {
  folds: number
  /** Share of all rows that is flagged, those of the highest loss; rounded down. */
  share: number
}

/**
 * Scores are cross-entropies in nats. Trains `folds` models. Throws RangeError for a share outside [0, 1];
 * `bad-input` for data or folds that do not fit and when a model's logits are not finite (a training that
 * diverged), and whatever `fit` throws.
 */
export async function lossSuspicion(
  data: LabelledRows,
  fit: Fit,
  { folds, share }: LossOptions,
  run: RunContext,
): Promise<Suspicion> {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`loss: share must lie in [0, 1]; got ${share}`)
  checkRows('loss', data)
  const fold = foldsOf(data, folds, run.seed)
  const scores = new Float64Array(data.ids.length)
  const places = [...fold.keys()]
  for (let k = 0; k < folds; k++) {
    throwIfCancelled(run)
    const [inside, outside] = [places.filter((p) => fold[p] === k), places.filter((p) => fold[p] !== k)]
    const model = await fit(takeRows(data, outside), { seed: run.seed + k, signal: run.signal })
    try {
      const held = takeRows(data, inside)
      crossEntropies(await readLogits(model, held), held.labels).forEach((loss, i) => {
        scores[inside[i]!] = loss
      })
    } finally {
      model.dispose()
    }
    run.onStep?.(k + 1, folds)
  }
  return flagTop(data, scores, wholeShare(share, data.ids.length))
}

/**
 * −log softmax(z)[y] of each row, in double precision and equal on every machine. Throws `bad-input` for
 * logits that are not finite.
 */
export function crossEntropies(logits: ArrayLike<number>, labels: ArrayLike<number>): Float64Array {
  const classes = logits.length / labels.length
  return Float64Array.from({ length: labels.length }, (_, i) => {
    let highest = -Infinity
    for (let k = 0; k < classes; k++) {
      const z = logits[i * classes + k]!
      if (!Number.isFinite(z))
        throw new PerturbError(
          'bad-input',
          `crossEntropies: the logits of row ${i} are not finite; the model's training has diverged`,
        )
      highest = Math.max(highest, z)
    }
    let sum = 0
    for (let k = 0; k < classes; k++) sum += exp(logits[i * classes + k]! - highest)
    return highest + log(sum) - logits[i * classes + labels[i]!]!
  })
}
