// finding: not-clipped
// checkpoint: broken-again
import { tf, type Tensor, type Victim } from 'lab'

export async function again(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  let adversarial = x
  for (let i = 0; i < 20; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    const next = tf.add(adversarial, tf.mul(tf.sign(gradient), epsilon / 8))
    // Pulled back into the ball, but the ball reaches over the edge of the page.
    adversarial = tf.add(x, tf.clipByValue(tf.sub(next, x), -epsilon, epsilon))
  }
  return adversarial
}
