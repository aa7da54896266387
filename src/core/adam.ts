import * as tf from './tf.ts'

/** Constants of Adam (Kingma & Ba 2015, Alg. 1, arXiv:1412.6980); `rate` holds both bias corrections. */
export interface AdamRule {
  beta1: number
  beta2: number
  epsilon: number
  rate: number
}

/**
 * One step of Adam for all weights at once. state: (3n), the n weights, then their means, then their
 * variances; gradient: (n). Returns the next state. One kernel where the backend has ours, since for a small
 * model sixty tiny operations cost more than the arithmetic.
 */
export function adamStep(state: tf.Tensor1D, gradient: tf.Tensor1D, rule: AdamRule): tf.Tensor1D {
  if (tf.getKernel('AdamStep', tf.getBackend()))
    return tf.engine().runKernel('AdamStep', { state, gradient }, { ...rule }) as tf.Tensor1D
  const { beta1, beta2, epsilon, rate } = rule
  const [weights, means, variances] = tf.split(state, 3) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D]
  const nextMeans = tf.add(tf.mul(means, beta1), tf.mul(gradient, 1 - beta1))
  const nextVariances = tf.add(tf.mul(variances, beta2), tf.mul(tf.square(gradient), 1 - beta2))
  const step = tf.div(tf.mul(nextMeans, rate), tf.add(tf.sqrt(nextVariances), epsilon))
  return tf.concat1d([
    tf.sub(weights, step) as tf.Tensor1D,
    nextMeans as tf.Tensor1D,
    nextVariances as tf.Tensor1D,
  ])
}
