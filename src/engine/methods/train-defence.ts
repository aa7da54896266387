import { harden } from '../../defences/training/harden.ts'
import { findRecipe } from '../../defences/training/registry.ts'
import { recipe as modelRecipe } from '../../models/architectures.ts'
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
  /** A file of src/defences/training/, e.g. pgd-training. */
  recipe: string
  /** The recipe's knobs, epsilon and ramp among them; its defaults for those left out. */
  options?: Record<string, number>
  /** Train on this many training images, drawn by the seed; all by default. */
  images?: number
  /** Passes over the training images. */
  epochs: number
  seed: number
  /** Images in a batch; the model's own by default. */
  batchSize?: number
  /** Peak of the one-cycle rate; the model's own by default. */
  learningRate?: number
  /** Readings along the way; 8 by default, 0 for none but the last. */
  readings?: number
  /** Steps of the PGD that is read beside FGSM; none by default. */
  pgdSteps?: number
}

export interface Training {
  weights: Weight[]
  /** step, loss, and now and then cleanAccuracy, fgsmAccuracy and pgdAccuracy (0 to 1). */
  history: HistoryPoint[]
}

/**
 * Repairs a shipped model by adversarial training, or trains it anew with the loop of `npm run train`; progress
 * carries the live curve's figures. `finish-training` ends it early with what it has, `cancel` without.
 */
export const method = defineMethod<TrainDefenceParams, Training>({
  name: 'train-defence',
  runsOn: ['engine', 'referee'],
  run(params, { signal, progress }, workshop) {
    return finishable(async (finish) => {
      const { model, dataset, recipe, options = {}, seed, learningRate } = params
      const { architecture, weights: shipped } = await workshop.weights(model)
      const usual = modelRecipe(model)
      return harden(
        {
          recipe: findRecipe(recipe),
          options,
          architecture,
          weights: params.fromScratch ? initialWeights(architecture, seed) : shipped,
          dataset: await workshop.dataset(dataset),
          images: params.images,
          epochs: params.epochs,
          batchSize: params.batchSize ?? usual.batchSize,
          learningRate: learningRate ?? usual.learningRate,
          readings: params.readings,
          pgdSteps: params.pgdSteps,
          finish,
        },
        { seed, signal, onStep: progress },
      )
    })
  },
  transfer: ({ weights }) => weights.map(({ values }) => values.buffer as ArrayBuffer),
})
