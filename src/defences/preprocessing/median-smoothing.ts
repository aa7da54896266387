/**
 * Feature squeezing by local smoothing: every pixel becomes the median of the window around it, so that single
 * conspicuous pixels disappear. Xu, Evans, Qi 2018, §IV.B, arXiv:1704.01155. As there, an even window's median
 * is the upper one and the window reaches up and left; the picture's edge is repeated outwards.
 */
import { PerturbError } from '../../core/errors.ts'
import * as tf from '../../core/tf.ts'
import type { StageEntry } from '../stage.ts'

type MedianOptions = { window: number }

export const entry: StageEntry<MedianOptions> = {
  id: 'median-smoothing',
  title: 'Median smoothing',
  summary: 'Every pixel becomes the median of its neighbourhood: lone pixels disappear, edges stay.',
  paper: { cite: 'Xu et al. 2018', url: 'https://arxiv.org/abs/1704.01155' },
  place: 'input',
  random: false,
  flat: false,
  defaults: { window: 3 },
  parameters: [
    {
      kind: 'number',
      name: 'window',
      label: 'Window',
      help: 'Side of the neighbourhood in pixels.',
      min: 2,
      max: 3,
      step: 1,
      unit: 'px',
      scale: 'linear',
    },
  ],
  forward(x, { window }) {
    check(x, window)
    return tf.tidy(() => smoothed(x, window))
  },
  /** The derivative goes to the pixel that is the median; of equals, to one of them. */
  backward(x, cotangent, { window }) {
    check(x, window)
    return tf.tidy(() => tf.grad((input: tf.Tensor) => smoothed(input, window))(x, cotangent))
  },
}

function check(x: tf.Tensor, window: number): void {
  if (window !== 2 && window !== 3)
    throw new PerturbError('bad-input', `median-smoothing: window must be 2 or 3; got ${window}`)
  if (x.shape.length !== 4)
    throw new PerturbError('bad-input', `median-smoothing: expected images (N, H, W, C); got (${x.shape})`)
}

/** Medians by comparisons alone: a sort is slow on a processor, and tfjs has no derivative for it. */
function smoothed(x: tf.Tensor, window: number): tf.Tensor {
  const around = neighbours(x, window)
  if (around.length === 4) {
    const [a, b, c, d] = around as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
    const oneMiddle = tf.maximum(tf.minimum(a, b), tf.minimum(c, d))
    const otherMiddle = tf.minimum(tf.maximum(a, b), tf.maximum(c, d))
    return tf.maximum(oneMiddle, otherMiddle)
  }
  // Of nine: the largest of the columns' least, the middle of their middles, the least of their largest.
  const columns = [0, 3, 6].map((at) => sortThree(around.slice(at, at + 3)))
  const [least, middles, largest] = [0, 1, 2].map((rank) => columns.map((column) => column[rank]!))
  const candidates = [sortThree(least!)[2], sortThree(middles!)[1], sortThree(largest!)[0]]
  return sortThree(candidates)[1]
}

function sortThree(three: readonly tf.Tensor[]): [tf.Tensor, tf.Tensor, tf.Tensor] {
  const [a, b, c] = three as [tf.Tensor, tf.Tensor, tf.Tensor]
  const [low, high] = [tf.minimum(a, b), tf.maximum(a, b)]
  return [tf.minimum(low, c), tf.maximum(low, tf.minimum(high, c)), tf.maximum(high, c)]
}

/** The picture shifted by each place of the window: window² tensors (N, H, W, C). */
function neighbours(x: tf.Tensor, window: number): tf.Tensor[] {
  const [rows, height, width, channels] = x.shape as [number, number, number, number]
  const after = window === 3 ? 1 : 0
  const padded = repeatEdge(repeatEdge(x, 1, after), 2, after)
  const shifted: tf.Tensor[] = []
  for (let down = 0; down < window; down++)
    for (let right = 0; right < window; right++)
      shifted.push(tf.slice(padded, [0, down, right, 0], [rows, height, width, channels]))
  return shifted
}

/** One row (or column) more before, and `after` behind, each a copy of the outermost. */
function repeatEdge(x: tf.Tensor, axis: number, after: number): tf.Tensor {
  const size = x.shape.map((length, i) => (i === axis ? 1 : length))
  const at = (position: number) =>
    tf.slice(
      x,
      x.shape.map((_, i) => (i === axis ? position : 0)),
      size,
    )
  return tf.concat([at(0), x, ...(after ? [at(x.shape[axis]! - 1)] : [])], axis)
}
