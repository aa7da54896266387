// finding: random-direction
// checkpoint: transfer
import { tf, type Tensor, type WhiteBox } from 'lab'

/** Every pixel as far as it may, up or down by chance. */
export async function craft(copy: WhiteBox, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  void y
  const signs = tf.sign(tf.randomNormal(x.shape))
  return tf.clipByValue(tf.add(x, tf.mul(epsilon, signs)), copy.bounds[0], copy.bounds[1])
}
