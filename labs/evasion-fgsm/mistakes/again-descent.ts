// finding: descended
// checkpoint: broken-again
import { tf, type Tensor, type Victim } from 'lab'

export async function again(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  let adversarial = x
  for (let i = 0; i < 20; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    const next = tf.sub(adversarial, tf.mul(tf.sign(gradient), epsilon / 8))
    adversarial = tf.clipByValue(tf.add(x, tf.clipByValue(tf.sub(next, x), -epsilon, epsilon)), 0, 1)
  }
  return adversarial
}
