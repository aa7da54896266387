// finding: shifted-labels
// checkpoint: fooled
import { tf, type Tensor, type Victim } from 'lab'

export async function fgsm(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  // Labels one class too far.
  const { gradient } = await victim.lossAndGradient(
    x,
    y.map((label) => (label + 1) % 10),
  )
  return tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), epsilon)), 0, 1)
}
