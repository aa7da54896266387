import { adversarialTraining } from '../../defences/training/adversarial-training.ts'
import { recipe } from '../../models/architectures.ts'
import type { Weight } from '../../models/model.ts'
import type { HistoryPoint } from '../../models/train.ts'
import { initialWeights } from '../../models/weights.ts'
import { finishable } from '../finish.ts'
import { defineMethod } from '../method.ts'

export interface TrainDefenceParams {
  /** A shipped model: its architecture, and its weights to start from. */
  model: string
  /** Start from weights drawn from the seed instead: the whole training, seen live. */
  fromScratch?: boolean
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
  /** Readings along the way; 8 by default, 0 for none but the last. */
  readings?: number
}

export interface Training {
  weights: Weight[]
  /** step, loss, and now and then cleanAccuracy and attackedAccuracy (0 to 1). */
  history: HistoryPoint[]
}

/**
 * Repairs a shipped model by adversarial training, or trains it anew with the loop of `npm run train`; progress carries the live curve's figures. `finish-training`
 * ends it early with what it has, `cancel` without.
 */
export const method = defineMethod<TrainDefenceParams, Training>({
  name: 'train-defence',
  runsOn: ['engine', 'referee'],
  run(params, { signal, progress }, workshop) {
    return finishable(async (finish) => {
      const { model, dataset, epochs, epsilon, share, seed, learningRate, readings } = params
      const { architecture, weights: shipped } = await workshop.weights(model)
      const weights = params.fromScratch ? initialWeights(architecture, seed) : shipped
      const { batchSize, learningRate: rate } = recipe(model)
      const data = await workshop.dataset(dataset)
      const start = { architecture, weights, dataset: data, batchSize, learningRate: learningRate ?? rate }
      return adversarialTraining(
        { ...start, epochs, epsilon, share, readings, finish },
        { seed, signal, onStep: progress },
      )
    })
  },
  transfer: ({ weights }) => weights.map(({ values }) => values.buffer as ArrayBuffer),
})
