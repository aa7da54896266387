import { progress, tf, type Tensor, type Victim } from 'lab'

/** The Euclidean length of each row, as (N, 1, 1, 1), so that a tensor of images can be divided by it. */
export const lengthOf = (images: Tensor): Tensor =>
  tf.maximum(tf.sqrt(tf.sum(tf.square(images), [1, 2, 3], true)), 1e-12)

/** Projected gradient descent in L2: a step is a length, and the projection shrinks what is too long. */
export async function pgdL2(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const steps = 12
  const stepSize = epsilon / 4
  let adversarial = x
  for (let i = 0; i < steps; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    const direction = tf.div(gradient, lengthOf(gradient))
    const change = tf.sub(tf.add(adversarial, tf.mul(direction, stepSize)), x)
    const shrink = tf.minimum(1, tf.div(epsilon, lengthOf(change)))
    adversarial = tf.clipByValue(tf.add(x, tf.mul(change, shrink)), 0, 1)
    progress(i + 1, steps)
  }
  return adversarial
}
