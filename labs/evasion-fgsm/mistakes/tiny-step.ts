// finding: tiny-step
// checkpoint: fooled
import { tf, type Tensor, type Victim } from 'lab'

export async function fgsm(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, y)
  return tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), epsilon / 255)), 0, 1)
}
