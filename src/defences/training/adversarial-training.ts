/**
 * Adversarial training in its first form: part of every batch is replaced by one-step (FGSM) examples
 * made against the weights of that moment. Goodfellow et al. 2015, §6, arXiv:1412.6572; the share of
 * clean images kept in a batch follows Kurakin et al. 2017, §3, arXiv:1611.01236.
 *
 * It holds against the step it was trained on. Small iterated steps break it again (Madry et al. 2018).
 */
import { fgsm } from '../../attacks/evasion/fgsm.ts'
import type { Labels } from '../../core/classifier.ts'
import { PerturbError } from '../../core/errors.ts'
import type { RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { DataSet, Split } from '../../data/data-set.ts'
import type { Architecture, Model, Weight } from '../../models/model.ts'
import { accuracy } from '../../models/accuracy.ts'
import { train, type HistoryPoint } from '../../models/train.ts'

export interface AdversarialTrainingOptions {
  architecture: Architecture
  /** Where to start: the model to repair. */
  weights: readonly Weight[]
  dataset: DataSet
  epochs: number
  batchSize: number
  /** Peak of the one-cycle rate. */
  learningRate: number
  /** Strength of the examples, L∞, in pixel units. */
  epsilon: number
  /** Part of each batch that is attacked, 0 to 1. */
  share: number
  /** Readings of clean and attacked accuracy along the way, on a few test images; 0 for none but the last. */
  readings?: number
  /** Ends the training after its present step, with the weights so far. */
  finish?: AbortSignal
}

/** Test images behind a live reading: enough for ±3 points, few enough not to slow the training. */
const readingImages = 200

/**
 * New weights and the curve: loss, and now and then cleanAccuracy and attackedAccuracy (0 to 1, on the
 * first 200 test images). Throws `bad-input` for options that make no sense, `cancelled` when stopped.
 */
export async function adversarialTraining(
  options: AdversarialTrainingOptions,
  run: RunContext,
): Promise<{ weights: Weight[]; history: HistoryPoint[] }> {
  const { dataset, epsilon, share, epochs, batchSize, readings = 8 } = options
  if (!(share >= 0 && share <= 1))
    throw new PerturbError('bad-input', `adversarial training: share must be from 0 to 1; got ${share}`)
  if (!(epsilon >= 0 && Number.isFinite(epsilon)))
    throw new PerturbError('bad-input', `adversarial training: epsilon must be at least 0; got ${epsilon}`)
  const steps = Math.ceil(dataset.train.count / batchSize) * epochs
  return train(
    {
      ...options,
      data: dataset.train,
      adversarial: (model, x, y, stepRun) => mixed(model, x, y, epsilon, share, stepRun),
      evaluate: (model) => reading(model, dataset.test, epsilon, run),
      evaluateEvery: readings > 0 ? Math.max(1, Math.floor(steps / readings)) : 0,
    },
    run,
  )
}

/** The batch with its first rows (they are shuffled) replaced by examples. */
async function mixed(
  model: Model,
  x: tf.Tensor,
  y: Labels,
  epsilon: number,
  share: number,
  run: RunContext,
): Promise<tf.Tensor> {
  const rows = x.shape[0]!
  const attacked = Math.round(share * rows)
  if (attacked === 0) return x
  const labels = Array.prototype.slice.call(y, 0, attacked) as number[]
  const tail = x.shape.slice(1)
  const at = (row: number) => [row, ...tail.map(() => 0)]
  const head = tf.slice(x, at(0), [attacked, ...tail])
  try {
    const { adversarial } = await fgsm(
      model,
      head,
      { kind: 'misclassification', labels },
      { epsilon, norm: 'linf' },
      run,
    )
    if (attacked === rows) return adversarial
    try {
      return tf.tidy(() => tf.concat([adversarial, tf.slice(x, at(attacked), [rows - attacked, ...tail])]))
    } finally {
      adversarial.dispose()
    }
  } finally {
    head.dispose()
  }
}

async function reading(
  model: Model,
  test: Split,
  epsilon: number,
  run: RunContext,
): Promise<Record<string, number>> {
  const ids = Array.from({ length: Math.min(readingImages, test.count) }, (_, i) => i)
  return {
    cleanAccuracy: await accuracy(model, test, ids),
    attackedAccuracy: await accuracyUnderFgsm(model, test, ids, epsilon, run),
  }
}

/** Share of the images still read as labelled after one step of strength epsilon, 0 to 1. */
export async function accuracyUnderFgsm(
  model: Model,
  split: Split,
  ids: readonly number[],
  epsilon: number,
  run: RunContext,
): Promise<number> {
  let right = 0
  for (let from = 0; from < ids.length; from += 100) {
    const part = ids.slice(from, from + 100)
    const labels = part.map((id) => split.labels[id]!)
    const x = split.images(part)
    const made: tf.Tensor[] = [x]
    try {
      const { adversarial } = await fgsm(
        model,
        x,
        { kind: 'misclassification', labels },
        { epsilon, norm: 'linf' },
        { seed: run.seed, signal: run.signal },
      )
      made.push(adversarial)
      const read = await model.predict(adversarial)
      for (const [i, label] of labels.entries()) if (read[i] === label) right++
    } finally {
      tf.dispose(made)
    }
  }
  return right / ids.length
}
