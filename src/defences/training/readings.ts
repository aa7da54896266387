/** What a training is watched by: the share of a few test images that is still read rightly. */
import { fgsm } from '../../attacks/evasion/fgsm.ts'
import { pgd } from '../../attacks/evasion/pgd.ts'
import type { RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { Split } from '../../data/data-set.ts'
import type { Model } from '../../models/model.ts'

const batchRows = 100

/** Share of the images still read as labelled after one step of strength epsilon, 0 to 1. */
export const accuracyUnderFgsm = (
  model: Model,
  split: Split,
  ids: readonly number[],
  epsilon: number,
  run: RunContext,
): Promise<number> =>
  accuracyUnder(split, ids, model, (x, labels) =>
    fgsm(model, x, { kind: 'misclassification', labels }, { epsilon, norm: 'linf' }, without(run)),
  )

/**
 * Share of the images still read as labelled after PGD without random start, 0 to 1. The steps reach 2.5 ε in
 * all, but none is longer than ε / 4 when there are ten or more.
 */
export const accuracyUnderPgd = (
  model: Model,
  split: Split,
  ids: readonly number[],
  { epsilon, steps }: { epsilon: number; steps: number },
  run: RunContext,
): Promise<number> =>
  accuracyUnder(split, ids, model, async (x, labels) =>
    epsilon === 0
      ? { adversarial: tf.clone(x) }
      : pgd(
          model,
          x,
          { kind: 'misclassification', labels },
          {
            epsilon,
            norm: 'linf',
            steps,
            stepSize: (2.5 * epsilon) / steps,
            randomStart: false,
            restarts: 0,
          },
          without(run),
        ),
  )

async function accuracyUnder(
  split: Split,
  ids: readonly number[],
  model: Model,
  attack: (x: tf.Tensor, labels: number[]) => Promise<{ adversarial: tf.Tensor }>,
): Promise<number> {
  let right = 0
  for (let from = 0; from < ids.length; from += batchRows) {
    const part = ids.slice(from, from + batchRows)
    const labels = part.map((id) => split.labels[id]!)
    const x = split.images(part)
    const made: tf.Tensor[] = [x]
    try {
      const { adversarial } = await attack(x, labels)
      made.push(adversarial)
      const read = await model.predict(adversarial)
      for (const [i, label] of labels.entries()) if (read[i] === label) right++
    } finally {
      tf.dispose(made)
    }
  }
  return right / ids.length
}

/** The reading's own steps are not the training's progress. */
const without = ({ seed, signal }: RunContext): RunContext => ({ seed, ...(signal ? { signal } : {}) })
