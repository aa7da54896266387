/** What several methods are given and give: models by name or by weights, images by id or by pixel. */
import type { Labels, WhiteBoxAccess } from '../core/classifier.ts'
import type { Criterion } from '../core/criteria.ts'
import { PerturbError } from '../core/errors.ts'
import * as tf from '../core/tf.ts'
import { defended } from '../defences/defended.ts'
import type { StageSpec } from '../defences/stage.ts'
import type { Model, Weight } from '../models/model.ts'
import type { Workshop } from './workshop.ts'

/** A shipped model, or its architecture with the learner's own (repaired) weights. */
export interface ModelRef {
  model: string
  weights?: Weight[]
  /** Stages around it, as in `Task.victim.defence`. */
  defence?: readonly StageSpec[]
}

/** Images of a shipped data set, or pixels of the caller's own with a class for each. */
export type ImagesRef =
  | { dataset: string; split: 'train' | 'test'; ids: number[] }
  | { pixels: Float32Array; shape: number[]; labels: number[] }

/** Images as plain numbers, row-major. */
export interface Images {
  pixels: Float32Array
  /** [N, height, width, channels]. */
  shape: number[]
  labels: Int32Array
}

/** Lends the model for the time of `work`; one made from weights is freed afterwards. */
export async function withModel<T>(
  workshop: Workshop,
  { model: name, weights, defence = [] }: ModelRef,
  work: (model: Model) => Promise<T>,
): Promise<T> {
  const around = (network: Model) => (defence.length > 0 ? defended(network, defence, 0) : network)
  if (!weights) return work(around(await workshop.model(name)))
  const model = await workshop.modelWithWeights(name, weights)
  try {
    return await work(around(model))
  } finally {
    model.dispose()
  }
}

/** Throws `bad-input` when pixels and shape disagree, are not finite, or do not fit the model. */
export async function readImages(workshop: Workshop, images: ImagesRef, model: Model): Promise<Images> {
  if ('dataset' in images) {
    const { shape, [images.split]: split } = await workshop.dataset(images.dataset)
    const read = {
      pixels: split.pixels(images.ids),
      shape: [images.ids.length, ...shape],
      labels: Int32Array.from(images.ids, (id) => split.labels[id]!),
    }
    checkPixels(read, model)
    return read
  }
  const read = { pixels: images.pixels, shape: [...images.shape], labels: Int32Array.from(images.labels) }
  checkPixels(read, model)
  if (read.labels.length !== read.shape[0])
    throw new PerturbError(
      'bad-input',
      `images: expected one label for each of the ${read.shape[0]} images; got ${read.labels.length}`,
    )
  return read
}

export function checkPixels(
  { pixels, shape }: Pick<Images, 'pixels' | 'shape'>,
  { inputShape }: Model,
): void {
  const fits =
    shape.length === inputShape.length + 1 &&
    inputShape.every((size, i) => shape[i + 1] === size) &&
    shape[0]! >= 1
  if (!fits)
    throw new PerturbError(
      'bad-input',
      `images: the model reads (N, ${inputShape.join(', ')}) with N of at least 1; got (${shape.join(', ')})`,
    )
  const size = shape.reduce((product, n) => product * n, 1)
  if (pixels.length !== size)
    throw new PerturbError(
      'bad-input',
      `images: shape (${shape.join(', ')}) needs ${size} numbers; got ${pixels.length}`,
    )
  const bad = pixels.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0)
    throw new PerturbError(
      'bad-input',
      `images: every pixel must be a finite number; got ${pixels[bad]} at ${bad}`,
    )
}

/** Success in words the attack understands: away from the labels, or towards the targets. */
export function criterionOf(labels: Labels, targets: ArrayLike<number> | undefined): Criterion {
  if (!targets) return { kind: 'misclassification', labels }
  if (targets.length !== labels.length)
    throw new PerturbError(
      'bad-input',
      `targets: expected one for each of the ${labels.length} images; got ${targets.length}`,
    )
  return { kind: 'targeted', targets }
}

/** Rows [from, to) of a batch of images as a tensor, and the criterion for them. */
export function batchOf(
  images: Images,
  criterion: Criterion,
  from: number,
  to: number,
): { x: tf.Tensor; criterion: Criterion } {
  const size = images.pixels.length / images.shape[0]!
  const x = tf.tensor(images.pixels.slice(from * size, to * size), [to - from, ...images.shape.slice(1)])
  const part = (values: Labels) => Int32Array.from({ length: to - from }, (_, i) => values[from + i]!)
  return {
    x,
    criterion:
      criterion.kind === 'targeted'
        ? { kind: 'targeted', targets: part(criterion.targets) }
        : { kind: 'misclassification', labels: part(criterion.labels) },
  }
}

/**
 * White-box access that answers the same question about the very same tensor from memory, so that a
 * sweep over strengths pays for one gradient and not for one a strength. Calls `breathe` before each answer,
 * so that a cancel is heard between the steps of a long attack. Call `forget` when done.
 */
export function remembering(
  access: WhiteBoxAccess,
  breathe: () => Promise<void>,
): WhiteBoxAccess & { forget(): void } {
  const known: { x: tf.Tensor; y: Labels; loss: tf.Tensor; gradient: tf.Tensor }[] = []
  return {
    inputShape: access.inputShape,
    numClasses: access.numClasses,
    bounds: access.bounds,
    async logits(x) {
      await breathe()
      return access.logits(x)
    },
    async vjp(x, cotangent) {
      await breathe()
      return access.vjp(x, cotangent)
    },
    async lossAndGradient(x, y, spec) {
      await breathe()
      if (spec && spec.kind !== 'cross-entropy') return access.lossAndGradient(x, y, spec)
      const hit = known.find((one) => one.x === x && one.y === y)
      if (hit) return { loss: tf.clone(hit.loss), gradient: tf.clone(hit.gradient) }
      const answer = await access.lossAndGradient(x, y, spec)
      if (known.length === 0)
        known.push({ x, y, loss: tf.clone(answer.loss), gradient: tf.clone(answer.gradient) })
      return answer
    },
    forget() {
      for (const { loss, gradient } of known.splice(0)) tf.dispose([loss, gradient])
    },
  }
}
