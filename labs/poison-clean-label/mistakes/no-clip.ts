// finding: off-the-page
// checkpoint: collided
import { tf, type Features, type Tensor } from 'lab'

/** Keeps the budget, and forgets that a value lies between 0 and 1. */
export async function collide(
  features: Features,
  bases: Tensor,
  target: Tensor,
  epsilon: number,
): Promise<Tensor> {
  const wanted = await features.of(target)
  let x = bases
  for (let step = 0; step < 12; step++) {
    const gradient = await features.vjp(x, tf.sub(await features.of(x), wanted))
    const moved = tf.sub(x, tf.mul(0.2 * epsilon, tf.sign(gradient)))
    x = tf.minimum(tf.maximum(moved, tf.sub(bases, epsilon)), tf.add(bases, epsilon))
  }
  return x
}
