/**
 * Training against stickers: part of every batch gets a square in which a few steps of gradient ascent may paint
 * anything, each picture a square of its own at a place of its own.
 * Wu, Tong, Vorobeychik 2020, "Defending Against Physically Realizable Attacks on Image Classification", §5 (the
 * rectangular occlusion attack), arXiv:1909.09552; at random places, as Rao, Stutz, Schiele 2020, "Adversarial
 * Training against Location-Optimized Adversarial Patches", §3.2, arXiv:2005.02313.
 *
 * The strength that the loop ramps is how far a pixel inside the square may move; 1 is any colour.
 *
 * Differs from the papers: few steps (3 by default, 30 and more there).
 */
import { aboveZero, wholeNumber } from '../../attacks/check.ts'
import type { NumberParameter } from '../../attacks/attack.ts'
import type { Labels } from '../../core/classifier.ts'
import { PerturbError } from '../../core/errors.ts'
import { createRng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { Split } from '../../data/data-set.ts'
import type { Model } from '../../models/model.ts'
import { epsilonKnob, rampKnob, stepsKnob } from './knobs.ts'
import type { TrainingRecipe } from './recipe.ts'

const number = (own: Omit<NumberParameter, 'kind' | 'scale' | 'symbol'>): NumberParameter => ({
  kind: 'number',
  scale: 'linear',
  ...own,
})

/** Test pictures behind a live reading: each costs the steps' gradients. */
const readingImages = 96

export const entry: TrainingRecipe = {
  id: 'sticker-training',
  title: 'Sticker training',
  summary: 'Paint a worst-case square on part of every batch, so that the network learns to read around one.',
  paper: { cite: 'Wu et al. 2020', url: 'https://arxiv.org/abs/1909.09552' },
  defaults: { epsilon: 1, ramp: 0, side: 9, steps: 3, reach: 6, share: 0.5 },
  parameters: [
    {
      ...epsilonKnob(),
      max: 1,
      step: 0.05,
      help: 'How far a pixel inside the square may move. 1 is any colour.',
    },
    rampKnob(),
    number({
      name: 'side',
      label: 'Side of the square',
      help: 'In pixels. A square of 9 covers a twelfth of a picture of 32 × 32.',
      min: 1,
      max: 16,
      step: 1,
      unit: 'px',
    }),
    stepsKnob(),
    number({
      name: 'reach',
      label: 'Away from the middle',
      help: 'How far the middle of a square may lie from the middle of the picture, in both directions.',
      min: 0,
      max: 12,
      step: 1,
      unit: 'px',
    }),
    number({
      name: 'share',
      label: 'Attacked share of a batch',
      help: 'The rest of each batch stays as it is, so that bare pictures are not forgotten.',
      min: 0,
      max: 1,
      step: 0.05,
      unit: '',
    }),
  ],
  check({ side, steps, reach, share }) {
    wholeNumber('sticker-training', 'steps', steps!, 1)
    wholeNumber('sticker-training', 'side', side!, 1)
    if (!(reach! >= 0))
      throw new PerturbError('bad-input', `sticker-training: reach must be at least 0; got ${reach}`)
    if (!(share! >= 0 && share! <= 1))
      throw new PerturbError('bad-input', `sticker-training: share must be from 0 to 1; got ${share}`)
  },
  figure: 'stickerAccuracy',
  async read(model, test, ids, options, run) {
    return {
      stickerAccuracy: await accuracyUnderSticker(model, test, ids.slice(0, readingImages), options, run),
    }
  },
  /** The first rows of the batch (they are shuffled) get a square. */
  async prepare(model, x, y, options, run) {
    const rows = x.shape[0]!
    const attacked = Math.round(options.share! * rows)
    if (attacked === 0) return x
    const tail = x.shape.slice(1)
    const at = (row: number) => [row, ...tail.map(() => 0)]
    const head = tf.slice(x, at(0), [attacked, ...tail])
    const labels = Array.prototype.slice.call(y, 0, attacked) as number[]
    let painted: tf.Tensor | undefined
    try {
      painted = await paintSquares(model, head, labels, options, run)
      return tf.tidy(() => tf.concat([painted!, tf.slice(x, at(attacked), [rows - attacked, ...tail])]))
    } finally {
      tf.dispose(painted ? [head, painted] : head)
    }
  },
}

export interface SquareOptions {
  epsilon?: number
  side?: number
  steps?: number
  reach?: number
}

/**
 * x with a square on each row, painted by `steps` signed steps up the loss of y, within epsilon of the picture: begins
 * at random colours. A new tensor of the caller's; x is borrowed.
 */
export async function paintSquares(
  model: Model,
  x: tf.Tensor,
  y: Labels,
  { epsilon = 1, side = 9, steps = 3, reach = 6 }: SquareOptions,
  run: RunContext,
): Promise<tf.Tensor> {
  aboveZero('sticker-training', 'epsilon', epsilon)
  const [rows = 0, height = 0, width = 0, channels = 0] = x.shape
  const rng = createRng(run.seed, 'squares')
  const mask = new Float32Array(rows * height * width)
  for (let row = 0; row < rows; row++) {
    const corner = (size: number) => {
      const middle = (size - side) / 2 + (2 * rng.uniform() - 1) * reach
      return Math.max(0, Math.min(size - side, Math.round(middle)))
    }
    const [top, left] = [corner(height), corner(width)]
    for (let i = top; i < Math.min(height, top + side); i++)
      mask.fill(
        1,
        (row * height + i) * width + left,
        (row * height + i) * width + Math.min(width, left + side),
      )
  }
  const colours = Float32Array.from({ length: x.size }, () => rng.uniform())
  const [low, high] = model.bounds
  const within = (moved: tf.Tensor, square: tf.Tensor) =>
    tf.tidy(() => {
      const change = tf.clipByValue(tf.mul(tf.sub(moved, x), square), -epsilon, epsilon)
      return tf.clipByValue(tf.add(x, change), low, high)
    })
  const square = tf.tensor(mask, [rows, height, width, 1])
  let painted = tf.tidy(() =>
    within(tf.add(tf.mul(tf.tensor(colours, [rows, height, width, channels]), high - low), low), square),
  )
  try {
    for (let step = 0; step < steps; step++) {
      throwIfCancelled(run)
      const { loss, gradient } = await model.lossAndGradient(painted, y)
      const next = tf.tidy(() =>
        within(tf.add(painted, tf.mul(tf.sign(gradient), (2 * epsilon) / steps)), square),
      )
      tf.dispose([loss, gradient, painted])
      painted = next
    }
    return painted
  } catch (error) {
    painted.dispose()
    throw error
  } finally {
    square.dispose()
  }
}

/** Share of the pictures still read as labelled with a painted square each, 0 to 1. */
export async function accuracyUnderSticker(
  model: Model,
  split: Split,
  ids: readonly number[],
  options: SquareOptions,
  { seed, signal }: RunContext,
): Promise<number> {
  const labels = ids.map((id) => split.labels[id]!)
  const x = split.images(ids)
  const made: tf.Tensor[] = [x]
  try {
    const run = { seed, ...(signal ? { signal } : {}) }
    const shown = options.epsilon === 0 ? tf.clone(x) : await paintSquares(model, x, labels, options, run)
    made.push(shown)
    const read = await model.predict(shown)
    return labels.filter((label, i) => read[i] === label).length / ids.length
  } finally {
    tf.dispose(made)
  }
}
