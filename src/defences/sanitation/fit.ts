/** How a filter trains models of its own: it says on what, and the caller how. */
import { PerturbError } from '../../core/errors.ts'
import { createRng } from '../../core/rng.ts'
import type { RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import { placesOf, type LabelledRows } from '../../data/labelled-rows.ts'
import type { Model } from '../../models/model.ts'

/** Trains a model on these rows; whoever called disposes it. The seed of `run` decides everything random. */
export type Fit = (data: LabelledRows, run: RunContext) => Promise<Model>

/** Logits of all rows, row-major. */
export async function readLogits(model: Model, data: LabelledRows): Promise<Float32Array> {
  const x = tf.tensor(data.x, [data.ids.length, ...data.shape], 'float32')
  try {
    return await model.logitsArray(x)
  } finally {
    x.dispose()
  }
}

/**
 * Which fold each row belongs to, each class spread evenly over the folds. Throws `bad-input` unless folds is
 * a whole number from 2 to the number of rows.
 */
export function foldsOf(data: LabelledRows, folds: number, seed: number): Int32Array {
  if (!(Number.isInteger(folds) && folds >= 2 && folds <= data.ids.length))
    throw new PerturbError(
      'bad-input',
      `folds: expected a whole number from 2 to the ${data.ids.length} rows; got ${folds}`,
    )
  const rng = createRng(seed, 'folds')
  const fold = new Int32Array(data.ids.length)
  let next = 0
  for (let k = 0; k < data.numClasses; k++)
    for (const place of rng.shuffle(placesOf(data, k))) fold[place] = next++ % folds
  return fold
}
