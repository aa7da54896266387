import { PerturbError } from '../core/errors.ts'
import type { RunContext } from '../core/run.ts'
import * as tf from '../core/tf.ts'
import type { Split } from '../data/data-set.ts'
import { checkRows, classCounts, rowSize, type LabelledRows } from '../data/labelled-rows.ts'
import type { Architecture, Model, Weight } from './model.ts'
import { train, type HistoryPoint } from './train.ts'
import { initialWeights } from './weights.ts'

/** How a victim comes about from rows: the same numbers, the same rows and backend, the same weights. */
export interface TrainingSpec {
  /** Initial weights, and the order of the batches. */
  seed: number
  /** Batches in all, however many rows there are: a victim of few rows sees them more often. */
  steps: number
  batchSize: number
  /** Peak of the one-cycle rate. */
  learningRate: number
  /** `last`: all layers but the last stay as they are shipped, and only that one is trained (src/models/refit.ts). */
  layers?: 'last'
}

export interface TrainOnRows extends TrainingSpec {
  evaluate?: (model: Model) => Promise<Record<string, number>>
  evaluateEvery?: number
}

/**
 * Trains a network from nothing on these rows. Throws `bad-input` for rows that are no data (NaN or a number outside the
 * bounds, named by its row) and when a class has no row left, since what is trained then never answers it; `unavailable` when the training diverges:
 * that is no attack's success.
 */
export async function trainOnRows(
  architecture: Architecture,
  rows: LabelledRows,
  { seed, steps, ...options }: Omit<TrainOnRows, 'layers'>,
  run: Omit<RunContext, 'seed'> = {},
): Promise<{ weights: Weight[]; history: HistoryPoint[] }> {
  if (rows.ids.length > 0) checkRows('training', rows)
  const empty = classCounts(rows).indexOf(0)
  if (empty >= 0)
    throw new PerturbError(
      'bad-input',
      `no row of class "${architecture.classes[empty]}" is left to train on; keep some of them`,
    )
  checkBounds(architecture, rows)
  try {
    return await train(
      {
        ...options,
        architecture,
        weights: initialWeights(architecture, seed),
        data: splitOfRows(rows),
        epochs: steps / Math.ceil(rows.ids.length / options.batchSize),
        // Between readings nothing is read back, so that a step costs no wait for the device.
        readLossEvery: 1000,
      },
      { ...run, seed },
    )
  } catch (error) {
    if (!(error instanceof PerturbError) || error.code !== 'bad-input') throw error
    throw new PerturbError(
      'unavailable',
      `the training diverged, so nothing can be said of these rows: ${error.message}`,
      {
        cause: error,
      },
    )
  }
}

/** Told before the training, so that it is not mistaken for one that diverges. */
function checkBounds({ bounds: [low, high] }: Architecture, rows: LabelledRows): void {
  const bad = rows.x.findIndex((value) => !(value >= low && value <= high))
  if (bad >= 0)
    throw new PerturbError(
      'bad-input',
      `training: row ${rows.ids[Math.floor(bad / rowSize(rows))]} holds ${rows.x[bad]}; numbers must lie in [${low}, ${high}], so clip the row first`,
    )
}

/** The rows as `train` takes them; its ids are places. */
export function splitOfRows(rows: LabelledRows): Split {
  const { x, shape, labels } = rows
  const size = rowSize(rows)
  const pixels = (places: ArrayLike<number>) => {
    const out = new Float32Array(places.length * size)
    for (let i = 0; i < places.length; i++) {
      const from = places[i]! * size
      out.set(x.subarray(from, from + size), i * size)
    }
    return out
  }
  return {
    count: labels.length,
    labels: Uint8Array.from(labels),
    pixels,
    images: (places) => tf.tensor(pixels(places), [places.length, ...shape]),
  }
}
