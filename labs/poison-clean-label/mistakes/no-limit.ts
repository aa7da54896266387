// finding: too-visible
// checkpoint: collided
import { tf, type Features, type Tensor } from 'lab'

/** Forgets the budget: nothing holds a picture near to what it was. */
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
    x = tf.clipByValue(tf.sub(x, tf.mul(0.2 * epsilon, tf.sign(gradient))), 0, 1)
  }
  return x
}
