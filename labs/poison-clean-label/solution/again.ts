import { progress, tf, type Features, type Tensor } from 'lab'

export async function collideAgain(
  features: Features,
  bases: Tensor,
  target: Tensor,
  epsilon: number,
): Promise<Tensor> {
  const wanted = await features.of(target)
  const low = tf.maximum(tf.sub(bases, epsilon), 0)
  const high = tf.minimum(tf.add(bases, epsilon), 1)
  const steps = 60
  let x = bases
  // All of them, all the way: most of the fifteen neighbours of each are its own.
  for (let step = 0; step < steps; step++) {
    const gradient = await features.vjp(x, tf.sub(await features.of(x), wanted))
    const rate = 0.1 * epsilon * (1 - step / steps)
    x = tf.minimum(tf.maximum(tf.sub(x, tf.mul(rate, tf.sign(gradient))), low), high)
    progress(step + 1, steps)
  }
  return x
}
