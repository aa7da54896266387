// finding: tiny-step
// checkpoint: broken-again
import { tf, type Tensor, type Victim } from 'lab'

export async function again(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  let adversarial = x
  // Twenty steps of a thousandth never reach the edge of the budget.
  for (let i = 0; i < 20; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    const next = tf.add(adversarial, tf.mul(tf.sign(gradient), 0.001))
    adversarial = tf.clipByValue(tf.add(x, tf.clipByValue(tf.sub(next, x), -epsilon, epsilon)), 0, 1)
  }
  return adversarial
}
