// finding: grey-levels
// checkpoint: nearest
import { tf, type Tensor, type Victim } from 'lab'

const lengthOf = (rows: Tensor) => tf.sqrt(tf.sum(tf.square(rows), [1, 2, 3], true))

/** Bytes, as a picture file has them. */
export async function deepfool(victim: Victim, x: Tensor, y: number[]): Promise<Tensor> {
  const bytes = tf.mul(x, 255)
  const { loss, gradient } = await victim.lossAndGradient(bytes, y, { kind: 'margin' })
  const far = tf.div(tf.reshape(tf.neg(loss), [y.length, 1, 1, 1]), tf.add(lengthOf(gradient), 1e-8))
  const way = tf.div(gradient, tf.add(lengthOf(gradient), 1e-8))
  return tf.clipByValue(tf.add(bytes, tf.mul(way, far)), 0, 255)
}
