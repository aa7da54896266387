// finding: not-clipped
// checkpoint: broken-again
import { tf, type Tensor, type WhiteBox } from 'lab'

export async function fewPixels(inner: WhiteBox, x: Tensor, y: number[], pixels: number): Promise<Tensor> {
  const seen = tf.round(x)
  const { gradient } = await inner.lossAndGradient(seen, y, { kind: 'margin' })
  const worth = tf.reshape(tf.mul(gradient, tf.sub(1, tf.mul(2, seen))), [y.length, -1])
  const last = tf.slice(tf.topk(worth, pixels).values, [0, pixels - 1], [y.length, 1])
  const best = tf.reshape(tf.greaterEqual(worth, last), x.shape)
  // Two is darker than ink.
  return tf.where(best, tf.mul(2, tf.sub(1, seen)), x)
}
