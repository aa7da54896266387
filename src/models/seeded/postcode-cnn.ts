import { createRng } from '../../core/rng.ts'
import type { Split } from '../../data/data-set.ts'
import { recipe as digits } from '../recipes/digits-cnn.ts'
import type { SeededModel } from '../seeded.ts'
import { train } from '../train.ts'
import { initialWeights } from '../weights.ts'

/** Digits that the owner trains on, of the 8,000 in the set; the others are for whoever has digits of their own. */
const own = 4000
const epochs = 4
const batchSize = 64
const learningRate = 6e-3

/** Reads handwritten digits. Which half of the digits it has seen, and how it began, its seed says. */
export const seeded: SeededModel = {
  architecture: { ...digits.architecture, name: 'postcode-cnn' },
  dataset: 'mnist10k',
  async train({ train: digits }, seed) {
    const { architecture } = seeded
    const { weights } = await train(
      {
        architecture,
        weights: initialWeights(architecture, seed),
        data: someOf(digits, ownersDigits(digits.count, seed)),
        epochs,
        batchSize,
        learningRate,
        readLossEvery: 1000,
      },
      { seed },
    )
    return weights
  },
}

/** Ids of the training digits that the victim of this seed has seen, and of those that it has not. */
export const ownersDigits = (count: number, seed: number): Int32Array => shuffled(count, seed).slice(0, own)
export const othersDigits = (count: number, seed: number): Int32Array => shuffled(count, seed).slice(own)

const shuffled = (count: number, seed: number) =>
  createRng(seed, 'digits').shuffle(Int32Array.from({ length: count }, (_, id) => id))

/** Some rows of a split, as a split of their own. */
function someOf(split: Split, ids: Int32Array): Split {
  const chosen = (places: ArrayLike<number>) => Int32Array.from(places, (place) => ids[place]!)
  return {
    count: ids.length,
    labels: Uint8Array.from(ids, (id) => split.labels[id]!),
    pixels: (places) => split.pixels(chosen(places)),
    images: (places) => split.images(chosen(places)),
  }
}
