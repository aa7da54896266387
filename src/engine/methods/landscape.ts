import { PerturbError } from '../../core/errors.ts'
import { createRng } from '../../core/rng.ts'
import * as tf from '../../core/tf.ts'
import { averaged, seenBehind } from '../../defences/defended.ts'
import type { StageSpec } from '../../defences/stage.ts'
import { crossEntropies } from '../../metrics/cross-entropy.ts'
import type { Model } from '../../models/model.ts'
import { checkPixels, withModel, type ModelRef } from '../images.ts'
import { defineMethod } from '../method.ts'
import { createPace } from '../pace.ts'

export interface LandscapeParams {
  model: ModelRef
  /** One image. */
  pixels: Float32Array
  /** [1, height, width, channels]. */
  shape: number[]
  label: number
  /** How far the slice reaches to either side, L∞. */
  reach: number
  /** Points along each direction. */
  points: number
  /** Looks at each point: the mean of so many answers counts. */
  looks: number
  seed: number
}

/** The loss around an image, along two directions in which every pixel moves by the same amount. */
export interface Landscape {
  /** How far each point lies from the image, −reach … reach. */
  at: Float32Array
  /** Cross-entropy of the label, along the sign of the bare network's gradient and along a random sign. */
  alongGradient: Float32Array
  alongRandom: Float32Array
  /** What is read at each point of the first. */
  read: Int32Array
  /** Share of the points of the first at which the model's own gradient is exactly 0. */
  flat: number
  /** Pictures on the way along the slope, from the image to `reach`. */
  frames: Frames
}

export interface Frames {
  /** Which points of the slice they are. */
  points: Int32Array
  /** Row-major, frame by frame: what is sent, and what the network is given after the stages before it (one look). */
  sent: Float32Array
  given: Float32Array
}

const frameCount = 5

const batchRows = 64

/**
 * A slice of the loss landscape. Directions are those of the network without its stages, so that the slices of
 * several defences around it can be compared. Points beyond the bounds are pulled back into them.
 */
export const method = defineMethod<LandscapeParams, Landscape>({
  name: 'landscape',
  runsOn: ['engine'],
  run: ({ model: ref, pixels, shape, label, reach, points, looks, seed }, { signal, progress }, workshop) =>
    withModel(workshop, ref, async (model) => {
      checkPixels({ pixels, shape }, model)
      if (shape[0] !== 1)
        throw new PerturbError('bad-input', `landscape: it is drawn around one image; got ${shape[0]}`)
      if (!(Number.isInteger(points) && points >= 3 && points <= 501))
        throw new PerturbError(
          'bad-input',
          `landscape: points must be a whole number from 3 to 501; got ${points}`,
        )
      if (!(reach > 0)) throw new PerturbError('bad-input', `landscape: reach must be positive; got ${reach}`)
      const { defence = [], ...bareRef } = ref
      const up = await withModel(workshop, bareRef, (bare) => signOfGradient(bare, pixels, shape, label))
      const rng = createRng(seed, 'landscape')
      const random = up.map(() => (rng.uniform() < 0.5 ? -1 : 1))
      const at = Float32Array.from({ length: points }, (_, i) => reach * ((2 * i) / (points - 1) - 1))
      const labels = new Int32Array(points).fill(label)
      const seen = averaged(model, looks)
      const breathe = createPace(signal)
      const [low, high] = model.bounds
      const movedBy = (far: number, direction: Float32Array) =>
        pixels.map((value, j) => Math.min(high, Math.max(low, value + far * direction[j]!)))
      const logits = [up, random].map(() => new Float32Array(points * model.numClasses))
      let flat = 0
      let done = 0
      for (const [line, direction] of [up, random].entries())
        for (let from = 0; from < points; from += batchRows) {
          await breathe()
          const to = Math.min(points, from + batchRows)
          const batch = new Float32Array((to - from) * pixels.length)
          for (let i = from; i < to; i++) batch.set(movedBy(at[i]!, direction), (i - from) * pixels.length)
          const x = tf.tensor(batch, [to - from, ...shape.slice(1)])
          try {
            logits[line]!.set(await seen.logitsArray(x), from * model.numClasses)
            if (line === 0) flat += await flatRows(model, x, labels.subarray(from, to))
          } finally {
            x.dispose()
          }
          progress((done += to - from), 2 * points)
        }
      const [alongGradient, alongRandom] = logits.map((rows) =>
        crossEntropies(rows, labels, model.numClasses),
      ) as [Float32Array, Float32Array]
      const read = Int32Array.from({ length: points }, (_, i) => topOf(logits[0]!, i, model.numClasses))
      const middle = (points - 1) / 2
      const shown = Int32Array.from({ length: frameCount }, (_, i) =>
        Math.floor(middle + ((points - 1 - middle) * i) / (frameCount - 1)),
      )
      const sent = new Float32Array(frameCount * pixels.length)
      shown.forEach((point, i) => sent.set(movedBy(at[point]!, up), i * pixels.length))
      const given = await throughStages(defence, sent, [frameCount, ...shape.slice(1)], seed)
      const frames = { points: shown, sent, given }
      return { at, alongGradient, alongRandom, read, flat: flat / points, frames }
    }),
  transfer: ({ at, alongGradient, alongRandom, read, frames: { points, sent, given } }) =>
    [at, alongGradient, alongRandom, read, points, sent, given].map((values) => values.buffer as ArrayBuffer),
})

async function throughStages(
  defence: readonly StageSpec[],
  pixels: Float32Array,
  shape: number[],
  seed: number,
): Promise<Float32Array> {
  const x = tf.tensor(pixels, shape)
  const owned = [x]
  try {
    const given = seenBehind(defence, x, seed)
    owned.push(given)
    return Float32Array.from(await given.data())
  } finally {
    tf.dispose(owned)
  }
}

async function signOfGradient(
  model: Model,
  pixels: Float32Array,
  shape: number[],
  label: number,
): Promise<Float32Array> {
  const x = tf.tensor(pixels.slice(), shape)
  const owned: tf.Tensor[] = [x]
  try {
    const { loss, gradient } = await model.lossAndGradient(x, [label], { kind: 'margin' })
    owned.push(loss, gradient)
    return Float32Array.from(await gradient.data(), Math.sign)
  } finally {
    tf.dispose(owned)
  }
}

async function flatRows(model: Model, x: tf.Tensor, labels: Int32Array): Promise<number> {
  const { loss, gradient } = await model.lossAndGradient(x, labels)
  try {
    const values = await gradient.data()
    const size = values.length / labels.length
    return Array.from(labels.keys()).filter((row) =>
      values.subarray(row * size, (row + 1) * size).every((slope) => slope === 0),
    ).length
  } finally {
    tf.dispose([loss, gradient])
  }
}

function topOf(logits: Float32Array, row: number, classes: number): number {
  const own = logits.subarray(row * classes, (row + 1) * classes)
  return own.reduce((best, score, k) => (score > own[best]! ? k : best), 0)
}
