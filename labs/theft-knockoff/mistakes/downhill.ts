// finding: descended
// checkpoint: transfer
import { tf, type Tensor, type WhiteBox } from 'lab'

/** Down the loss: the copy reads the digits better and better. */
export async function craft(copy: WhiteBox, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const { gradient } = await copy.lossAndGradient(x, y)
  return tf.clipByValue(tf.sub(x, tf.mul(epsilon, tf.sign(gradient))), copy.bounds[0], copy.bounds[1])
}
