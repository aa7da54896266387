/**
 * An owner, a thief and innocents: hands that hold pictures of the same kind, and train a small network each. Everything is drawn
 * from one seed, and a training takes less than a second, so that a whole story fits into a moment.
 */
import { createRng, type Rng } from '../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../core/run.ts'
import * as tf from '../core/tf.ts'
import type { DataSet, Split } from '../data/data-set.ts'
import type { Architecture, Weight } from '../models/model.ts'
import { createModel } from '../models/network.ts'
import { train } from '../models/train.ts'
import { initialWeights } from '../models/weights.ts'

/** Pictures that each of them has. */
export const heldPictures = 2000
const [steps, batchSize, rate] = [400, 64, 4e-3]
const testImages = 1000

const architectureFor = ({ classes, shape }: Pick<DataSet, 'classes' | 'shape'>): Architecture => ({
  name: 'small',
  inputShape: [...shape],
  numClasses: classes.length,
  bounds: [0, 1],
  classes: [...classes],
  layers: [
    { type: 'flatten' },
    { type: 'dense', units: 32, activation: 'relu' },
    { type: 'dense', units: classes.length },
  ],
})

export interface Schooling {
  /** Weights to go on from; new ones when left out. */
  from?: Weight[]
  /** Passes over the pictures; when left out, as many as a first training takes. */
  epochs?: number
  rate?: number
  /** Probabilities to learn instead of labels, row-major. */
  targets?: Float32Array
}

export class Parties {
  readonly architecture: Architecture
  readonly #order: number[]
  readonly #rng: Rng
  readonly #run: Omit<RunContext, 'seed'>

  constructor(
    readonly data: DataSet,
    seed: number,
    run: Omit<RunContext, 'seed'> = {},
  ) {
    this.architecture = architectureFor(data)
    this.#run = run
    this.#rng = createRng(seed, 'parties')
    this.#order = this.#rng.shuffle(Array.from({ length: data.train.count }, (_, id) => id))
  }

  owners(): Split {
    return partOf(this.data.train, this.#order.slice(0, heldPictures))
  }

  thiefs(): Split {
    return partOf(this.data.train, this.#order.slice(heldPictures, 2 * heldPictures))
  }

  /** Neither the owner's nor the thief's; innocents may share some among themselves. */
  innocents(k: number): Split {
    const rest = this.#order.slice(2 * heldPictures)
    return partOf(this.data.train, this.#rng.fork(`innocent ${k}`).shuffle(rest).slice(0, heldPictures))
  }

  /** Trains a network; the same name draws the same initial weights and the same order. Throws `cancelled`. */
  async train(
    name: string,
    data: Split,
    { from, epochs, targets, ...own }: Schooling = {},
  ): Promise<Weight[]> {
    const { signal } = this.#run
    const run = { seed: this.#rng.fork(name).uint32(), ...(signal && { signal }) }
    throwIfCancelled(run)
    const { weights } = await train(
      {
        architecture: this.architecture,
        weights: from ?? initialWeights(this.architecture, run.seed),
        data,
        epochs: epochs ?? steps / Math.ceil(data.count / batchSize),
        batchSize,
        learningRate: own.rate ?? rate,
        readLossEvery: 1e6,
        ...(targets && { targets }),
      },
      run,
    )
    return weights
  }

  /** Probabilities for inputs, row-major. */
  async ask(weights: readonly Weight[], inputs: Float32Array): Promise<Float32Array> {
    const model = createModel(this.architecture, weights)
    const x = tf.tensor(inputs, [inputs.length / this.size, ...this.architecture.inputShape])
    const logits = await model.logits(x)
    const probabilities = tf.softmax(logits)
    try {
      return Float32Array.from(await probabilities.data())
    } finally {
      tf.dispose([x, logits, probabilities])
      model.dispose()
    }
  }

  /** Top classes for inputs. */
  async read(weights: readonly Weight[], inputs: Float32Array): Promise<Int32Array> {
    const model = createModel(this.architecture, weights)
    const x = tf.tensor(inputs, [inputs.length / this.size, ...this.architecture.inputShape])
    try {
      return await model.predict(x)
    } finally {
      x.dispose()
      model.dispose()
    }
  }

  /** Numbers of one input. */
  get size(): number {
    return this.architecture.inputShape.reduce((product, n) => product * n, 1)
  }

  /** Pictures that nobody trains on, and what they show. */
  test(): { inputs: Float32Array; labels: Uint8Array } {
    const { test } = this.data
    const ids = Array.from({ length: Math.min(testImages, test.count) }, (_, id) => id)
    return { inputs: test.pixels(ids), labels: Uint8Array.from(ids, (id) => test.labels[id]!) }
  }

  /** Share of test pictures that are read rightly, 0 to 1. */
  async accuracy(weights: readonly Weight[]): Promise<number> {
    const { inputs, labels } = this.test()
    const read = await this.read(weights, inputs)
    return labels.filter((label, i) => read[i] === label).length / labels.length
  }
}

/** All pictures of a split, row-major. */
export const inputsOf = (split: Split): Float32Array =>
  split.pixels(Array.from({ length: split.count }, (_, place) => place))

const partOf = (split: Split, ids: readonly number[]): Split => ({
  count: ids.length,
  labels: Uint8Array.from(ids, (id) => split.labels[id]!),
  pixels: (places) => split.pixels(Array.from(places, (place) => ids[place]!)),
  images: (places) => split.images(Array.from(places, (place) => ids[place]!)),
})
