// finding: too-few
// checkpoint: collided
import { tf, type Features, type Tensor } from 'lab'

/** Makes poison of one picture and leaves the others. */
export async function collide(
  features: Features,
  bases: Tensor,
  target: Tensor,
  epsilon: number,
): Promise<Tensor> {
  const wanted = await features.of(target)
  const low = tf.maximum(tf.sub(bases, epsilon), 0)
  const high = tf.minimum(tf.add(bases, epsilon), 1)
  let x = bases
  for (let step = 0; step < 20; step++) {
    const gradient = await features.vjp(x, tf.sub(await features.of(x), wanted))
    x = tf.minimum(tf.maximum(tf.sub(x, tf.mul(0.1 * epsilon, tf.sign(gradient))), low), high)
  }
  return tf.concat([tf.slice(x, 0, 1), tf.slice(bases, 1)])
}
