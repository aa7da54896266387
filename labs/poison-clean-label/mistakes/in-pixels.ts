// finding: not-nearer
// checkpoint: collided
import { tf, type Features, type Tensor } from 'lab'

/** Walks towards the target in the pixels, as far as the budget goes. */
export async function collide(
  features: Features,
  bases: Tensor,
  target: Tensor,
  epsilon: number,
): Promise<Tensor> {
  await features.of(target)
  const apart = tf.sub(target, bases)
  return tf.add(bases, tf.clipByValue(apart, -epsilon, epsilon))
}
