import { tf, type Tensor, type Victim } from 'lab'

export async function outside(
  victim: Victim,
  x: Tensor,
  y: number[],
  epsilon: number,
  sigma: number,
): Promise<Tensor> {
  const copies = 4
  const steps = 16
  const labels = Array.from({ length: copies }, () => y).flat()
  let moved = x
  for (let step = 0; step < steps; step++) {
    const repeated = tf.tile(moved, [copies, 1, 1, 1])
    const noisy = tf.add(repeated, tf.randomNormal(repeated.shape, 0, sigma))
    const { gradient } = await victim.lossAndGradient(noisy, labels)
    const mean = tf.mean(tf.reshape(gradient, [copies, ...x.shape]), 0)
    const next = tf.add(moved, tf.mul(tf.sign(mean), epsilon / 5))
    moved = tf.clipByValue(tf.add(x, tf.clipByValue(tf.sub(next, x), -epsilon, epsilon)), 0, 1)
  }
  return moved
}
