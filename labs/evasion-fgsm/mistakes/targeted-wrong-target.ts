// finding: wrong-target
// checkpoint: targeted
import { tf, type Tensor, type Victim } from 'lab'

export async function targeted(
  victim: Victim,
  x: Tensor,
  target: number[],
  epsilon: number,
): Promise<Tensor> {
  // Descends, but towards the neighbour of the target.
  const wrong = target.map((digit) => (digit + 1) % 10)
  const { gradient } = await victim.lossAndGradient(x, wrong)
  return tf.clipByValue(tf.sub(x, tf.mul(tf.sign(gradient), epsilon)), 0, 1)
}
