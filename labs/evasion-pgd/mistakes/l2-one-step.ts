// finding: one-step
// checkpoint: l2
import { tf, type Tensor, type Victim } from 'lab'

export const lengthOf = (images: Tensor): Tensor =>
  tf.maximum(tf.sqrt(tf.sum(tf.square(images), [1, 2, 3], true)), 1e-12)

export async function pgdL2(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  let adversarial = x
  for (let i = 0; i < 1; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    const moved = tf.add(adversarial, tf.mul(tf.div(gradient, lengthOf(gradient)), epsilon))
    const change = tf.sub(moved, x)
    const shrink = tf.minimum(1, tf.div(epsilon, lengthOf(change)))
    adversarial = tf.clipByValue(tf.add(x, tf.mul(change, shrink)), 0, 1)
  }
  return adversarial
}
