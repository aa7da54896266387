// finding: below-bar
// checkpoint: fooled
import { tf, type Tensor, type Victim } from 'lab'

export async function fgsm(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, y)
  // The paper stays white: only what is ink already may move.
  const ink = tf.cast(tf.greater(x, 0.5), 'float32')
  const step = tf.mul(tf.mul(tf.sign(gradient), ink), epsilon)
  return tf.clipByValue(tf.add(x, step), 0, 1)
}
