import { PerturbError } from './errors.ts'
import * as tf from './tf.ts'
import type { Norm } from './threat-model.ts'

/** Below this a gradient counts as having no direction; foolbox and torchattacks use the same. */
const tiny = 1e-12

const otherAxes = (x: tf.Tensor) => x.shape.map((_, axis) => axis).slice(1)

/** (N) → (N, 1, …, 1), to scale the rows of x. */
const likeRows = (values: tf.Tensor, x: tf.Tensor) =>
  tf.reshape(values, [x.shape[0]!, ...otherAxes(x).map(() => 1)])

/** The size of each row of delta (N, …): (N). L0 counts the elements that are not zero. */
export function normRows(delta: tf.Tensor, norm: Norm): tf.Tensor1D {
  return tf.tidy(() => {
    const axes = otherAxes(delta)
    switch (norm) {
      case 'linf':
        return tf.max(tf.abs(delta), axes)
      case 'l2':
        return tf.sqrt(tf.sum(tf.square(delta), axes))
      case 'l1':
        return tf.sum(tf.abs(delta), axes)
      case 'l0':
        return tf.sum(tf.cast(tf.notEqual(delta, 0), 'float32'), axes)
    }
  })
}

/** Each row divided by its norm, by at least 1e-12, so that a row of zeros stays zero. */
export function normaliseRows(delta: tf.Tensor, norm: 'linf' | 'l2' | 'l1'): tf.Tensor {
  return tf.tidy(() => tf.div(delta, likeRows(tf.maximum(normRows(delta, norm), tiny), delta)))
}

/**
 * The nearest delta, row by row, within the ball of radius epsilon around zero: L∞ clips, L2 shrinks, L1
 * projects on the simplex (Duchi et al. 2008), L0 keeps the ⌊epsilon⌋ largest elements. L1 and L0 read
 * the numbers back, hence the promise.
 */
export async function projectBall(delta: tf.Tensor, norm: Norm, epsilon: number): Promise<tf.Tensor> {
  if (!(epsilon >= 0)) throw new PerturbError('bad-input', `epsilon must be at least 0; got ${epsilon}`)
  if (norm === 'linf') return tf.clipByValue(delta, -epsilon, epsilon)
  if (norm === 'l2') return shrinkToL2Ball(delta, epsilon)
  const values = Float32Array.from(await delta.data())
  const size = values.length / Math.max(1, delta.shape[0]!)
  for (let from = 0; from < values.length; from += size) {
    const row = values.subarray(from, from + size)
    if (norm === 'l1') projectRowL1(row, epsilon)
    else keepLargest(row, Math.floor(epsilon))
  }
  return tf.tensor(values, delta.shape)
}

/** d · min(1, epsilon / max(‖d‖₂, 1e-12)), row by row. */
export function shrinkToL2Ball(delta: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.tidy(() => {
    const factor = tf.minimum(tf.div(epsilon, tf.maximum(normRows(delta, 'l2'), tiny)), 1)
    return tf.mul(delta, likeRows(factor, delta))
  })
}

/** Every element pulled into bounds. NaN passes through. */
export function clipToBounds(x: tf.Tensor, bounds: readonly [number, number]): tf.Tensor {
  return tf.clipByValue(x, bounds[0], bounds[1])
}

function projectRowL1(row: Float32Array, epsilon: number): void {
  const sizes = Float64Array.from(row, Math.abs).sort().reverse()
  let sum = 0
  for (const size of sizes) sum += size
  if (sum <= epsilon) return
  let threshold = 0
  let running = 0
  for (let k = 0; k < sizes.length; k++) {
    running += sizes[k]!
    const candidate = (running - epsilon) / (k + 1)
    if (sizes[k]! > candidate) threshold = candidate
  }
  for (let i = 0; i < row.length; i++) {
    row[i] = Math.sign(row[i]!) * Math.max(Math.abs(row[i]!) - threshold, 0)
  }
}

/** Ties keep the earlier element. */
function keepLargest(row: Float32Array, count: number): void {
  const order = Array.from(row.keys()).sort((a, b) => Math.abs(row[b]!) - Math.abs(row[a]!) || a - b)
  for (const i of order.slice(count)) row[i] = 0
}
