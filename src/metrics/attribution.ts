/** Which pixels a model's answer comes from: gradients of scores, and their integral along a path. */
import type { Labels, WhiteBoxAccess } from '../core/classifier.ts'
import * as tf from '../core/tf.ts'

/** Gradient of something with respect to x, row by row: (N, …) → (N, …). */
export type GradientAt = (x: tf.Tensor) => Promise<tf.Tensor>

/** d logit[y] / dx (Simonyan et al. 2014, arXiv:1312.6034; the saliency map is its absolute value). */
export function logitGradient(model: WhiteBoxAccess, y: Labels): GradientAt {
  return async (x) => {
    const cotangent = oneHot(y, model.numClasses)
    try {
      return await model.vjp(x, cotangent)
    } finally {
      cotangent.dispose()
    }
  }
}

/** d softmax(logits)[y] / dx. */
export function probabilityGradient(model: WhiteBoxAccess, y: Labels): GradientAt {
  return async (x) => {
    const logits = await model.logits(x)
    const cotangent = tf.tidy(() => {
      const truth = oneHot(y, model.numClasses)
      const probabilities = tf.softmax(logits)
      const own = tf.sum(tf.mul(probabilities, truth), 1, true)
      return tf.mul(own, tf.sub(truth, probabilities))
    })
    try {
      return await model.vjp(x, cotangent)
    } finally {
      tf.dispose([logits, cotangent])
    }
  }
}

/**
 * Integrated gradients from a zero baseline (Sundararajan et al. 2017, eq. 1, arXiv:1703.01365), with the
 * path cut into `steps`: `midpoint` looks at the middle of each, `trapezoid` at the steps + 1 ends, the
 * outer two at half weight. Returns a new tensor that the caller disposes. Throws RangeError when steps < 1.
 */
export async function integratedGradients(
  gradientAt: GradientAt,
  x: tf.Tensor,
  steps: number,
  rule: 'midpoint' | 'trapezoid',
): Promise<tf.Tensor> {
  if (!(Number.isInteger(steps) && steps >= 1))
    throw new RangeError(`integratedGradients: steps must be a whole number of at least 1; got ${steps}`)
  let sum = tf.zerosLike(x)
  try {
    for (let k = 0; k < (rule === 'midpoint' ? steps : steps + 1); k++) {
      const end = rule === 'trapezoid' && (k === 0 || k === steps)
      const at = tf.mul(x, rule === 'midpoint' ? (k + 0.5) / steps : k / steps)
      const gradient = await gradientAt(at)
      const next = tf.tidy(() => tf.add(sum, tf.mul(gradient, end ? 0.5 : 1)))
      tf.dispose([at, gradient, sum])
      sum = next
    }
    return tf.tidy(() => tf.mul(x, tf.div(sum, steps)))
  } finally {
    sum.dispose()
  }
}

function oneHot(y: Labels, classes: number): tf.Tensor {
  return tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(Int32Array.from(y), 'int32'), classes), 'float32'))
}
