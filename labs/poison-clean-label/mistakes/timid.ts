// finding: too-far
// checkpoint: collided
import { tf, type Features, type Tensor } from 'lab'

/** Four steps of a hundredth each: they go the right way, and stop. */
export async function collide(
  features: Features,
  bases: Tensor,
  target: Tensor,
  epsilon: number,
): Promise<Tensor> {
  const wanted = await features.of(target)
  let x = bases
  for (let step = 0; step < 4; step++) {
    const gradient = await features.vjp(x, tf.sub(await features.of(x), wanted))
    x = tf.clipByValue(tf.sub(x, tf.mul(0.05 * epsilon, tf.sign(gradient))), 0, 1)
  }
  return x
}
