// finding: not-clipped
// checkpoint: outside
import { tf, type Tensor, type Victim } from 'lab'

export async function outside(
  victim: Victim,
  x: Tensor,
  y: number[],
  epsilon: number,
  sigma: number,
): Promise<Tensor> {
  let moved = x
  for (let step = 0; step < 6; step++) {
    const { gradient } = await victim.lossAndGradient(tf.add(moved, tf.randomNormal(x.shape, 0, sigma)), y)
    const next = tf.add(moved, tf.mul(tf.sign(gradient), epsilon / 3))
    moved = tf.add(x, tf.clipByValue(tf.sub(next, x), -epsilon, epsilon))
  }
  return moved
}
