// finding: not-nearer
// checkpoint: collided
import { tf, type Features, type Tensor } from 'lab'

/** Changes the pixels, at random: the features hardly move. */
export async function collide(
  features: Features,
  bases: Tensor,
  target: Tensor,
  epsilon: number,
): Promise<Tensor> {
  await features.of(target)
  const noise = tf.mul(epsilon, tf.sign(tf.randomUniform(bases.shape, -1, 1)))
  return tf.clipByValue(tf.add(bases, noise), 0, 1)
}
