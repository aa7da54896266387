import { progress, tf, type Tensor, type Victim } from 'lab'

/** Projected gradient descent in L∞ (Madry et al. 2018, §2.1), from the original. */
export async function pgd(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const steps = 10
  const stepSize = epsilon / 4
  let adversarial = x
  for (let i = 0; i < steps; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    const moved = tf.add(adversarial, tf.mul(tf.sign(gradient), stepSize))
    const change = tf.clipByValue(tf.sub(moved, x), -epsilon, epsilon)
    adversarial = tf.clipByValue(tf.add(x, change), 0, 1)
    progress(i + 1, steps)
  }
  return adversarial
}
