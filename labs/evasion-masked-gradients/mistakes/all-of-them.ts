// finding: too-many-pixels
// checkpoint: broken-again
import { tf, type Tensor, type WhiteBox } from 'lab'

export async function fewPixels(inner: WhiteBox, x: Tensor, y: number[]): Promise<Tensor> {
  // The step of the first lab: every pixel moves.
  const { gradient } = await inner.lossAndGradient(tf.round(x), y, { kind: 'margin' })
  return tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), 0.5)), 0, 1)
}
