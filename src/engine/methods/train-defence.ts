import { adversarialTraining } from '../../defences/training/adversarial-training.ts'
import { recipe } from '../../models/architectures.ts'
import type { Weight } from '../../models/model.ts'
import type { HistoryPoint } from '../../models/train.ts'
import { defineMethod } from '../method.ts'

export interface TrainDefenceParams {
  /** A shipped model: its architecture, and its weights to start from. */
  model: string
  dataset: string
  /** Passes over the training images. */
  epochs: number
  /** Strength of the examples it trains on, L∞. */
  epsilon: number
  /** Part of each batch that is attacked, 0 to 1. */
  share: number
  seed: number
  /** Peak of the one-cycle rate; the model's own by default. */
  learningRate?: number
}

export interface Training {
  weights: Weight[]
  /** step, loss, and now and then cleanAccuracy and attackedAccuracy (0 to 1). */
  history: HistoryPoint[]
}

/** Repairs a shipped model by adversarial training; progress carries the live curve's figures. */
export const method = defineMethod<TrainDefenceParams, Training>({
  name: 'train-defence',
  runsOn: ['engine', 'referee'],
  async run({ model, dataset, epochs, epsilon, share, seed, learningRate }, { signal, progress }, workshop) {
    const { architecture, weights } = await workshop.weights(model)
    const { batchSize, learningRate: rate } = recipe(model)
    const data = await workshop.dataset(dataset)
    const options = {
      architecture,
      weights,
      dataset: data,
      epochs,
      batchSize,
      epsilon,
      share,
      learningRate: learningRate ?? rate,
    }
    return adversarialTraining(options, { seed, signal, onStep: progress })
  },
  transfer: ({ weights }) => weights.map(({ values }) => values.buffer as ArrayBuffer),
})
