// finding: grey-levels
// checkpoint: fooled
import { tf, type Tensor, type Victim } from 'lab'

export async function fgsm(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, y)
  // Grey levels of a file, not the [0, 1] that the model reads.
  const grey = tf.add(tf.mul(x, 255), tf.mul(tf.sign(gradient), 255 * epsilon))
  return tf.clipByValue(grey, 0, 255)
}
