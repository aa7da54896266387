// finding: epsilon-exceeded
// checkpoint: l2
import { tf, type Tensor, type Victim } from 'lab'

export const lengthOf = (images: Tensor): Tensor =>
  tf.maximum(tf.sqrt(tf.sum(tf.square(images), [1, 2, 3], true)), 1e-12)

export async function pgdL2(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  let adversarial = x
  for (let i = 0; i < 12; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    // The old projection with the new epsilon: every pixel may move by 1.5.
    const moved = tf.add(adversarial, tf.mul(tf.div(gradient, lengthOf(gradient)), epsilon / 4))
    const change = tf.clipByValue(tf.sub(moved, x), -epsilon, epsilon)
    adversarial = tf.clipByValue(tf.add(x, change), 0, 1)
  }
  return adversarial
}
