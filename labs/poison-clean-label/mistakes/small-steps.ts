// finding: too-timid
// checkpoint: slipped
import { tf, type Features, type Tensor } from 'lab'

/** Stays where the filter looks for nothing: a tenth of what it may change. */
export async function collideAgain(
  features: Features,
  bases: Tensor,
  target: Tensor,
  epsilon: number,
): Promise<Tensor> {
  const wanted = await features.of(target)
  const narrow = epsilon / 10
  const low = tf.maximum(tf.sub(bases, narrow), 0)
  const high = tf.minimum(tf.add(bases, narrow), 1)
  let x = bases
  for (let step = 0; step < 30; step++) {
    const gradient = await features.vjp(x, tf.sub(await features.of(x), wanted))
    const rate = 0.2 * narrow * (1 - step / 30)
    x = tf.minimum(tf.maximum(tf.sub(x, tf.mul(rate, tf.sign(gradient))), low), high)
  }
  return x
}
