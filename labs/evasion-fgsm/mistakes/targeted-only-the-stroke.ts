// finding: below-bar
// checkpoint: targeted
import { tf, type Tensor, type Victim } from 'lab'

export async function targeted(
  victim: Victim,
  x: Tensor,
  target: number[],
  epsilon: number,
): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, target)
  // The paper stays white: only what is ink already may move.
  const ink = tf.cast(tf.greater(x, 0.5), 'float32')
  const step = tf.mul(tf.mul(tf.sign(gradient), ink), epsilon)
  return tf.clipByValue(tf.sub(x, step), 0, 1)
}
