// finding: caught
// checkpoint: slipped
import { tf, type Features, type Tensor } from 'lab'

/** What was done before: six of the twelve, all the way. */
export async function collideAgain(
  features: Features,
  bases: Tensor,
  target: Tensor,
  epsilon: number,
): Promise<Tensor> {
  const half = tf.slice(bases, 0, 6)
  const wanted = await features.of(target)
  const low = tf.maximum(tf.sub(half, epsilon), 0)
  const high = tf.minimum(tf.add(half, epsilon), 1)
  let x = half
  for (let step = 0; step < 40; step++) {
    const gradient = await features.vjp(x, tf.sub(await features.of(x), wanted))
    const rate = 0.1 * epsilon * (1 - step / 40)
    x = tf.minimum(tf.maximum(tf.sub(x, tf.mul(rate, tf.sign(gradient))), low), high)
  }
  return tf.concat([x, tf.slice(bases, 6)])
}
