// finding: descended
// checkpoint: worst-case
import { tf, type Tensor, type Victim } from 'lab'

export async function worstCase(
  victim: Victim,
  x: Tensor,
  y: number[],
  epsilon: number,
  steps = 3,
): Promise<Tensor> {
  const stepSize = (2.5 * epsilon) / steps
  const noise = tf.randomUniform(x.shape, -epsilon, epsilon)
  let adversarial = tf.clipByValue(tf.add(x, noise), 0, 1)
  for (let i = 0; i < steps; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    // Gradient descent is what the trainer does; the attack climbs.
    const moved = tf.sub(adversarial, tf.mul(tf.sign(gradient), stepSize))
    const change = tf.clipByValue(tf.sub(moved, x), -epsilon, epsilon)
    adversarial = tf.clipByValue(tf.add(x, change), 0, 1)
  }
  return adversarial
}
