// finding: vote-holds
// checkpoint: outside
import { tf, type Tensor, type Victim } from 'lab'

export async function outside(
  victim: Victim,
  x: Tensor,
  y: number[],
  epsilon: number,
  sigma: number,
): Promise<Tensor> {
  // One long step up the slope of a single noisy copy.
  const { gradient } = await victim.lossAndGradient(tf.add(x, tf.randomNormal(x.shape, 0, sigma)), y)
  return tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), epsilon)), 0, 1)
}
