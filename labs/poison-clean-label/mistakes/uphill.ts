// finding: away
// checkpoint: collided
import { tf, type Features, type Tensor } from 'lab'

/** Climbs the distance instead of going down. */
export async function collide(
  features: Features,
  bases: Tensor,
  target: Tensor,
  epsilon: number,
): Promise<Tensor> {
  const wanted = await features.of(target)
  let x = bases
  for (let step = 0; step < 10; step++) {
    const gradient = await features.vjp(x, tf.sub(await features.of(x), wanted))
    const moved = tf.add(x, tf.mul(0.2 * epsilon, tf.sign(gradient)))
    const inside = tf.minimum(tf.maximum(moved, tf.sub(bases, epsilon)), tf.add(bases, epsilon))
    x = tf.clipByValue(inside, 0, 1)
  }
  return x
}
