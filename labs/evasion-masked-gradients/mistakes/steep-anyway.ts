// finding: below-bar
// checkpoint: broken-again
import { progress, tf, type Tensor, type WhiteBox } from 'lab'

const rounds = 8

export async function fewPixels(inner: WhiteBox, x: Tensor, y: number[], pixels: number): Promise<Tensor> {
  const start = tf.round(x)
  const atOnce = Math.floor(pixels / rounds)
  let seen = start
  for (let round = 0; round < rounds; round++) {
    const { gradient } = await inner.lossAndGradient(seen, y, { kind: 'margin' })
    // The steepest pixels, whether or not they can still move that way.
    const steep = tf.where(tf.equal(seen, start), tf.abs(gradient), tf.zerosLike(gradient))
    const best = tf.greater(tf.mul(steep, topMask(steep, y.length, atOnce)), 0)
    seen = tf.where(best, tf.sub(1, seen), seen)
    progress(round + 1, rounds)
  }
  return tf.where(tf.equal(seen, start), x, seen)
}

function topMask(values: Tensor, rows: number, k: number): Tensor {
  const flat = tf.reshape(values, [rows, -1])
  const kth = tf.slice(tf.topk(flat, k).values, [0, k - 1], [rows, 1])
  return tf.reshape(tf.cast(tf.greaterEqual(flat, kth), 'float32'), values.shape)
}
