// finding: climbed-the-target
// checkpoint: targeted
import { tf, type Tensor, type Victim } from 'lab'

export async function targeted(
  victim: Victim,
  x: Tensor,
  target: number[],
  epsilon: number,
): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, target)
  // Climbs: away from the target.
  return tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), epsilon)), 0, 1)
}
