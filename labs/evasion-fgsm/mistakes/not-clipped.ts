// finding: not-clipped
// checkpoint: fooled
import { tf, type Tensor, type Victim } from 'lab'

export async function fgsm(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, y)
  // Fools more than the right answer does, with ink that no scanner reports.
  return tf.add(x, tf.mul(tf.sign(gradient), epsilon))
}
