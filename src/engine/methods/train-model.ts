import { recipe } from '../../models/architectures.ts'
import { accuracy } from '../../models/accuracy.ts'
import { train } from '../../models/train.ts'
import { initialWeights } from '../../models/weights.ts'
import { defineMethod } from '../method.ts'
import type { Training } from './train-defence.ts'

export interface TrainModelParams {
  model: string
  /** The recipe's own by default. */
  epochs?: number
  seed: number
}

const readingImages = 200

/** Trains a shipped architecture from scratch, with the code and recipe of `npm run train`. */
export const method = defineMethod<TrainModelParams, Training>({
  name: 'train-model',
  runsOn: ['engine', 'referee'],
  async run({ model, epochs, seed }, { signal, progress }, workshop) {
    const { architecture, dataset, batchSize, learningRate, epochs: usual } = recipe(model)
    const { train: data, test } = await workshop.dataset(dataset)
    const ids = Array.from({ length: Math.min(readingImages, test.count) }, (_, i) => i)
    const weights = initialWeights(architecture, seed)
    const evaluate = async (trained: Parameters<typeof accuracy>[0]) => ({
      cleanAccuracy: await accuracy(trained, test, ids),
    })
    const options = {
      architecture,
      weights,
      data,
      epochs: epochs ?? usual,
      batchSize,
      learningRate,
      evaluate,
    }
    return train(
      { ...options, evaluateEvery: Math.ceil(data.count / batchSize) },
      { seed, signal, onStep: progress },
    )
  },
  transfer: ({ weights }) => weights.map(({ values }) => values.buffer as ArrayBuffer),
})
