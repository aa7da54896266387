import { progress, tf, type Tensor, type WhiteBox } from 'lab'

const rounds = 8

/** The best pixels by their slope, a few at a time, changed from paper to ink or back (after Papernot et al. 2016). */
export async function fewPixels(inner: WhiteBox, x: Tensor, y: number[], pixels: number): Promise<Tensor> {
  const start = tf.round(x)
  const atOnce = Math.floor(pixels / rounds)
  let seen = start
  for (let round = 0; round < rounds; round++) {
    const { gradient } = await inner.lossAndGradient(seen, y, { kind: 'margin' })
    const worth = tf.mul(gradient, tf.sub(1, tf.mul(2, seen)))
    // A pixel changes once: going back would spend it twice.
    const open = tf.where(tf.equal(seen, start), worth, tf.zerosLike(worth))
    const best = tf.greater(tf.mul(open, topMask(open, y.length, atOnce)), 0)
    seen = tf.where(best, tf.sub(1, seen), seen)
    progress(round + 1, rounds)
  }
  return tf.where(tf.equal(seen, start), x, seen)
}

/** 1 for the k largest of each row, 0 elsewhere. */
function topMask(values: Tensor, rows: number, k: number): Tensor {
  const flat = tf.reshape(values, [rows, -1])
  const kth = tf.slice(tf.topk(flat, k).values, [0, k - 1], [rows, 1])
  return tf.reshape(tf.cast(tf.greaterEqual(flat, kth), 'float32'), values.shape)
}
