import { pgd } from '../../attacks/evasion/pgd.ts'
import * as tf from '../../core/tf.ts'
import { oftenest, readRows, readsOf, sameReads, type Reads } from '../../grading/copies.ts'
import type { Model, Weight } from '../../models/model.ts'
import { defineMethod } from '../method.ts'

export interface CompareCopyParams {
  victim: { model: string; seed?: number }
  copy: { model: string; weights: Weight[] }
  /** Pictures to look at, one by one. */
  images: { dataset: string; split: 'train' | 'test'; ids: number[] }
  /** More of the same split, to count on. */
  probes: number[]
  /** How far a pixel may move when the pictures are attacked on the copy. */
  epsilon: number
  honest?: string
}

/** What the three read in the same pictures, and how sure each is. */
interface Readings {
  victim: Reads
  copy: Reads
  honest?: Reads
}

export interface CopyComparison {
  shape: number[]
  labels: number[]
  classes: readonly string[]
  pixels: Float32Array
  /** The same pictures, changed on the copy so that it misreads them. */
  attacked: Float32Array
  before: Readings
  after: Readings
  /** Shares of the probes, 0 to 1. */
  agreement: number
  honest?: number
  /** Share of the copy's most frequent answer. */
  oftenest: number
}

const attackSteps = 20

/** Victim, copy and an honest model side by side: on the same pictures, and on these attacked with the copy's gradient. */
export const method = defineMethod<CompareCopyParams, CopyComparison>({
  name: 'compare-copy',
  runsOn: ['engine'],
  async run({ victim: ref, copy: own, images, probes, epsilon, honest: third }, _, workshop) {
    const victim = await workshop.model(ref.model, ref.seed)
    const honest = third === undefined ? undefined : await workshop.model(third)
    const copy = await workshop.modelWithWeights(own.model, own.weights)
    const owned: tf.Tensor[] = []
    try {
      const data = await workshop.dataset(images.dataset)
      const split = data[images.split]
      const labels = Int32Array.from(images.ids, (id) => split.labels[id]!)
      const x = split.images(images.ids)
      owned.push(x)
      const { adversarial } = await pgd(
        copy,
        x,
        { kind: 'misclassification', labels },
        { epsilon, steps: attackSteps, stepSize: (2.5 * epsilon) / attackSteps },
        { seed: 1 },
      )
      owned.push(adversarial)
      const attacked = (await adversarial.data()) as Float32Array
      const all = async (read: (model: Model) => Promise<Reads>): Promise<Readings> => ({
        victim: await read(victim),
        copy: await read(copy),
        ...(honest ? { honest: await read(honest) } : {}),
      })
      const counted = await all((model) => readRows(model, split, probes))
      return {
        shape: [images.ids.length, ...data.shape],
        labels: [...labels],
        classes: data.classes,
        pixels: split.pixels(images.ids),
        attacked: Float32Array.from(attacked),
        before: await all((model) => readsOf(model, x)),
        after: await all((model) => readsOf(model, adversarial)),
        agreement: sameReads(counted.victim, counted.copy),
        ...(counted.honest ? { honest: sameReads(counted.victim, counted.honest) } : {}),
        oftenest: oftenest(counted.copy),
      }
    } finally {
      tf.dispose(owned)
      copy.dispose()
    }
  },
})
