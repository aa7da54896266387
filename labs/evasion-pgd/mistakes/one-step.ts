// finding: one-step
// checkpoint: linf
import { tf, type Tensor, type Victim } from 'lab'

export async function pgd(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  let adversarial = x
  for (let i = 0; i < 1; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    // FGSM: the whole budget in one stride.
    const moved = tf.add(adversarial, tf.mul(tf.sign(gradient), epsilon))
    const change = tf.clipByValue(tf.sub(moved, x), -epsilon, epsilon)
    adversarial = tf.clipByValue(tf.add(x, change), 0, 1)
  }
  return adversarial
}
