// finding: unchanged
// checkpoint: fooled
import { tf, type Tensor, type Victim } from 'lab'

export async function fgsm(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, y)
  // A sum that is computed and then forgotten: tensors never change in place.
  tf.add(x, tf.mul(tf.sign(gradient), epsilon))
  return x
}
