// finding: tiny-step
// checkpoint: linf
import { tf, type Tensor, type Victim } from 'lab'

export async function pgd(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  let adversarial = x
  for (let i = 0; i < 10; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    // Divided by 255, as if pixels were bytes.
    const moved = tf.add(adversarial, tf.mul(tf.sign(gradient), epsilon / 255))
    const change = tf.clipByValue(tf.sub(moved, x), -epsilon, epsilon)
    adversarial = tf.clipByValue(tf.add(x, change), 0, 1)
  }
  return adversarial
}
