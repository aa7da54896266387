// finding: not-the-worst
// checkpoint: worst-case
import { tf, type Tensor, type Victim } from 'lab'

export async function worstCase(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  // One long step: the cheapest attack, and far from the worst.
  const { gradient } = await victim.lossAndGradient(x, y)
  return tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), epsilon)), 0, 1)
}
