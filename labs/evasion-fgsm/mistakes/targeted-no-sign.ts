// finding: no-sign
// checkpoint: targeted
import { tf, type Tensor, type Victim } from 'lab'

export async function targeted(
  victim: Victim,
  x: Tensor,
  target: number[],
  epsilon: number,
): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, target)
  // Scaled so that the steepest pixel of the batch gets all of epsilon.
  const scaled = tf.div(gradient, tf.max(tf.abs(gradient)))
  return tf.clipByValue(tf.sub(x, tf.mul(scaled, epsilon)), 0, 1)
}
