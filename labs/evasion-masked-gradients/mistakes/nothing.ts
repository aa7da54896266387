// finding: unchanged
// checkpoint: broken-again
import { tf, type Tensor, type WhiteBox } from 'lab'

export async function fewPixels(inner: WhiteBox, x: Tensor, y: number[], pixels: number): Promise<Tensor> {
  // Sixteen pixels are too few to matter, surely.
  void [inner, y, pixels]
  return tf.clone(x)
}
