/**
 * Random resizing and padding: every picture is scaled to a random size and laid at a random place on an empty
 * sheet of its old size, anew at each call. Xie, Wang, Zhang, Ren, Yuille 2018, "Mitigating Adversarial Effects
 * Through Randomization", §3.2, arXiv:1711.01991. Differs from the paper: pictures shrink and are padded back to
 * their own size (there they grow, and the network reads the larger sheet), and each row of a batch draws for itself.
 *
 * Scaling is bilinear. It is written as two small matrices a picture, result = A · x · Bᵀ, so its derivative
 * is exact and the same on every backend.
 */
import { PerturbError } from '../../core/errors.ts'
import type { Rng } from '../../core/rng.ts'
import * as tf from '../../core/tf.ts'
import type { StageEntry } from '../stage.ts'

type ResizePadOptions = { smallest: number; largest: number }

export const entry: StageEntry<ResizePadOptions> = {
  id: 'resize-pad',
  title: 'Random resize and pad',
  summary:
    'Every picture is shrunk by chance and laid somewhere on an empty sheet, differently at each look.',
  paper: { cite: 'Xie et al. 2018', url: 'https://arxiv.org/abs/1711.01991' },
  place: 'input',
  random: true,
  flat: false,
  defaults: { smallest: 24, largest: 28 },
  parameters: [
    {
      kind: 'number',
      name: 'smallest',
      label: 'Smallest side',
      help: 'The smallest side that a picture is scaled to.',
      min: 14,
      max: 28,
      step: 1,
      unit: 'px',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'largest',
      label: 'Largest side',
      help: 'The largest side that a picture is scaled to, at most its own.',
      min: 14,
      max: 28,
      step: 1,
      unit: 'px',
      scale: 'linear',
    },
  ],
  forward: (x, options, draw) => between(x, x, options, draw, false),
  backward: (x, cotangent, options, draw) => between(x, cotangent, options, draw, true),
}

/** A · t · Bᵀ for each picture and channel, or its transpose Aᵀ · t · B. x gives the shape. */
function between(
  x: tf.Tensor,
  t: tf.Tensor,
  { smallest, largest }: ResizePadOptions,
  draw: Rng,
  transposed: boolean,
): tf.Tensor {
  const [rows, height, width, channels] = x.shape as [number, number, number, number]
  if (x.shape.length !== 4)
    throw new PerturbError('bad-input', `resize-pad: expected images (N, H, W, C); got (${x.shape})`)
  const side = Math.min(height, width)
  if (
    ![smallest, largest].every((size) => Number.isInteger(size)) ||
    smallest < 1 ||
    smallest > largest ||
    largest > side
  )
    throw new PerturbError(
      'bad-input',
      `resize-pad: expected whole numbers 1 ≤ smallest ≤ largest ≤ ${side}; got ${smallest} and ${largest}`,
    )
  const down = new Float32Array(rows * channels * height * height)
  const across = new Float32Array(rows * channels * width * width)
  for (let row = 0; row < rows; row++) {
    const size = smallest + draw.below(largest - smallest + 1)
    const top = draw.below(height - Math.round((size * height) / side) + 1)
    const left = draw.below(width - Math.round((size * width) / side) + 1)
    for (let channel = 0; channel < channels; channel++) {
      const at = row * channels + channel
      // The left factor maps rows, so it is A or Aᵀ; the right one is Bᵀ or B.
      fill(down.subarray(at * height * height), height, Math.round((size * height) / side), top, transposed)
      fill(across.subarray(at * width * width), width, Math.round((size * width) / side), left, !transposed)
    }
  }
  return tf.tidy(() => {
    const pictures = tf.reshape(tf.transpose(t, [0, 3, 1, 2]), [rows * channels, height, width])
    const left = tf.tensor3d(down, [rows * channels, height, height])
    const right = tf.tensor3d(across, [rows * channels, width, width])
    const result = tf.matMul(tf.matMul(left, pictures), right)
    return tf.transpose(tf.reshape(result, [rows, channels, height, width]), [0, 2, 3, 1])
  })
}

/** Bilinear weights: result i takes from source s(i); written transposed when `turned`. */
function fill(matrix: Float32Array, length: number, size: number, offset: number, turned: boolean): void {
  for (let i = 0; i < size; i++) {
    const source = Math.min(length - 1, Math.max(0, ((i + 0.5) * length) / size - 0.5))
    const low = Math.min(length - 1, Math.floor(source))
    const high = Math.min(length - 1, low + 1)
    const share = source - low
    const to = offset + i
    const put = (from: number, weight: number) => {
      const at = turned ? from * length + to : to * length + from
      matrix[at] = matrix[at]! + weight
    }
    put(low, 1 - share)
    put(high, share)
  }
}
