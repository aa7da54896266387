// finding: below-bar
// checkpoint: l2
import { tf, type Tensor, type Victim } from 'lab'

const lengthOf = (images: Tensor): Tensor =>
  tf.maximum(tf.sqrt(tf.sum(tf.square(images), [1, 2, 3], true)), 1e-12)

export async function pgdL2(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  // Just enough steps to reach the edge, and none to walk along it.
  const steps = 3
  let adversarial = x
  for (let i = 0; i < steps; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    const direction = tf.div(gradient, lengthOf(gradient))
    adversarial = tf.clipByValue(tf.add(adversarial, tf.mul(direction, epsilon / steps)), 0, 1)
  }
  return adversarial
}
