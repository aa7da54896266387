// finding: no-sign
// checkpoint: targeted
import { tf, type Tensor, type Victim } from 'lab'

export async function targeted(victim: Victim, x: Tensor, target: number[], epsilon: number): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, target)
  return tf.clipByValue(tf.sub(x, tf.mul(gradient, epsilon)), 0, 1)
}
