import { progress, tf, type Features, type Tensor } from 'lab'

export async function collide(
  features: Features,
  bases: Tensor,
  target: Tensor,
  epsilon: number,
): Promise<Tensor> {
  const wanted = await features.of(target)
  const low = tf.maximum(tf.sub(bases, epsilon), 0)
  const high = tf.minimum(tf.add(bases, epsilon), 1)
  const steps = 40
  let x = bases
  for (let step = 0; step < steps; step++) {
    const apart = tf.sub(await features.of(x), wanted)
    const gradient = await features.vjp(x, apart)
    // Small steps of one size, which shrink: features have no unit, so the gradient's length says nothing.
    const rate = 0.2 * epsilon * (1 - step / steps)
    x = tf.minimum(tf.maximum(tf.sub(x, tf.mul(rate, tf.sign(gradient))), low), high)
    progress(step + 1, steps)
  }
  return x
}
