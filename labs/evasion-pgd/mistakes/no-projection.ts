// finding: epsilon-exceeded
// checkpoint: linf
import { tf, type Tensor, type Victim } from 'lab'

export async function pgd(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  let adversarial = x
  for (let i = 0; i < 10; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    // Ten steps of a quarter go two and a half times as far as they may.
    adversarial = tf.clipByValue(tf.add(adversarial, tf.mul(tf.sign(gradient), epsilon / 4)), 0, 1)
  }
  return adversarial
}
