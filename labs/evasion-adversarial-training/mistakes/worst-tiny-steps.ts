// finding: tiny-step
// checkpoint: worst-case
import { tf, type Tensor, type Victim } from 'lab'

export async function worstCase(
  victim: Victim,
  x: Tensor,
  y: number[],
  epsilon: number,
  steps = 3,
): Promise<Tensor> {
  // A step for pixels from 0 to 255.
  const stepSize = (2.5 * epsilon) / steps / 255
  let adversarial = x
  for (let i = 0; i < steps; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    const moved = tf.add(adversarial, tf.mul(tf.sign(gradient), stepSize))
    const change = tf.clipByValue(tf.sub(moved, x), -epsilon, epsilon)
    adversarial = tf.clipByValue(tf.add(x, change), 0, 1)
  }
  return adversarial
}
