// finding: no-direction
// checkpoint: broken-again
import { tf, type Tensor, type WhiteBox } from 'lab'

export async function fewPixels(_inner: WhiteBox, x: Tensor, y: number[], pixels: number): Promise<Tensor> {
  const seen = tf.round(x)
  const worth = tf.randomUniform([y.length, 784])
  const last = tf.slice(tf.topk(worth, pixels).values, [0, pixels - 1], [y.length, 1])
  const best = tf.reshape(tf.greaterEqual(worth, last), x.shape)
  return tf.where(best, tf.sub(1, seen), x)
}
