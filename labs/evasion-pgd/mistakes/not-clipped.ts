// finding: not-clipped
// checkpoint: linf
import { tf, type Tensor, type Victim } from 'lab'

export async function pgd(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  let adversarial = x
  for (let i = 0; i < 10; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    const moved = tf.add(adversarial, tf.mul(tf.sign(gradient), epsilon / 4))
    // Inside the ball, and off the page.
    adversarial = tf.add(x, tf.clipByValue(tf.sub(moved, x), -epsilon, epsilon))
  }
  return adversarial
}
