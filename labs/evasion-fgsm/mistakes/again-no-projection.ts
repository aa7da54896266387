// finding: epsilon-exceeded
// checkpoint: broken-again
import { tf, type Tensor, type Victim } from 'lab'

export async function again(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  let adversarial = x
  // Twenty steps of an eighth add up to two and a half times the budget.
  for (let i = 0; i < 20; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    adversarial = tf.clipByValue(tf.add(adversarial, tf.mul(tf.sign(gradient), epsilon / 8)), 0, 1)
  }
  return adversarial
}
