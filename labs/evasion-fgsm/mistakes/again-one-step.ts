// finding: one-step
// checkpoint: broken-again
import { tf, type Tensor, type Victim } from 'lab'

export async function again(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  // One long step: what the repair was trained against.
  const { gradient } = await victim.lossAndGradient(x, y)
  return tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), epsilon)), 0, 1)
}
