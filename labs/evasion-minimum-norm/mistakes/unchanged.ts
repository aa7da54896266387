// finding: unchanged
// checkpoint: nearest
import { tf, type Tensor, type Victim } from 'lab'

export async function deepfool(victim: Victim, x: Tensor, y: number[]): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, y)
  // A sum that is computed and then forgotten: tensors never change in place.
  tf.add(x, gradient)
  return x
}
