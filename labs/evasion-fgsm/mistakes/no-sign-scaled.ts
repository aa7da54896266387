// finding: no-sign
// checkpoint: fooled
import { tf, type Tensor, type Victim } from 'lab'

export async function fgsm(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, y)
  // Scaled so that the steepest pixel of the batch gets all of epsilon.
  const scaled = tf.div(gradient, tf.max(tf.abs(gradient)))
  return tf.clipByValue(tf.add(x, tf.mul(scaled, epsilon)), 0, 1)
}
