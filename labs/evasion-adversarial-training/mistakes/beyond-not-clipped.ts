// finding: not-clipped
// checkpoint: beyond
import { progress, tf, type Tensor, type Victim } from 'lab'

const steps = 30

export async function beyond(victim: Victim, x: Tensor, y: number[], length: number): Promise<Tensor> {
  const lengthOf = (t: Tensor) => tf.maximum(tf.sqrt(tf.sum(tf.square(t), [1, 2, 3], true)), 1e-12)
  const stepSize = (4 * length) / steps
  let adversarial = x
  for (let i = 0; i < steps; i++) {
    const { gradient } = await victim.lossAndGradient(adversarial, y)
    const step = tf.mul(tf.div(gradient, lengthOf(gradient)), stepSize)
    const change = tf.sub(tf.add(adversarial, step), x)
    const shorter = tf.minimum(1, tf.div(length, lengthOf(change)))
    // The right length, on paper that is whiter than white.
    adversarial = tf.add(x, tf.mul(change, shorter))
    progress(i + 1, steps)
  }
  return adversarial
}
