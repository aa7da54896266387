// finding: inside-the-promise
// checkpoint: beyond
import { tf, type Tensor, type Victim } from 'lab'

export async function beyond(victim: Victim, x: Tensor, y: number[], length: number): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, y)
  const size = tf.sqrt(tf.sum(tf.square(gradient), [1, 2, 3], true))
  // The whole length in one step, along a slope that was measured once.
  const step = tf.mul(tf.div(gradient, tf.maximum(size, 1e-12)), length)
  return tf.clipByValue(tf.add(x, step), 0, 1)
}
