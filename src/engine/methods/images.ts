import { PerturbError } from '../../core/errors.ts'
import { defineMethod } from '../method.ts'

export interface ImagesParams {
  dataset: string
  split: 'train' | 'test'
  ids: number[]
}

export interface ImagesResult {
  /** Row-major, in [0, 1]. */
  pixels: Float32Array
  /** [N, height, width, channels]. */
  shape: number[]
  labels: number[]
  /** Names of the classes, and what one image shows in a word. */
  classes: readonly string[]
  noun: string
}

/** Images of a shipped data set, for a picker or a gallery. No backend is needed. */
export const method = defineMethod<ImagesParams, ImagesResult>({
  name: 'images',
  runsOn: ['engine', 'referee'],
  own: true,
  async run({ dataset, split, ids }, _, workshop) {
    const data = await workshop.dataset(dataset)
    const part = data[split]
    const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= part.count)
    if (wrong !== undefined)
      throw new PerturbError(
        'bad-input',
        `images: ${dataset} has test and train images by number; expected 0 to ${part.count - 1} in ${split}, got ${wrong}`,
      )
    return {
      pixels: part.pixels(ids),
      shape: [ids.length, ...data.shape],
      labels: ids.map((id) => part.labels[id]!),
      classes: data.classes,
      noun: data.noun,
    }
  },
  transfer: ({ pixels }) => [pixels.buffer as ArrayBuffer],
})
