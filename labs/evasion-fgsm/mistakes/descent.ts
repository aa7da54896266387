// finding: descended
// checkpoint: fooled
import { tf, type Tensor, type Victim } from 'lab'

export async function fgsm(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, y)
  // Gradient descent is what training does: it makes the reader surer.
  return tf.clipByValue(tf.sub(x, tf.mul(tf.sign(gradient), epsilon)), 0, 1)
}
