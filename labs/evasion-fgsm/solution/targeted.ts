import { tf, type Tensor, type Victim } from 'lab'

/** One step of epsilon *against* the gradient of the target's loss (Kurakin et al. 2017, §2.3). */
export async function targeted(
  victim: Victim,
  x: Tensor,
  target: number[],
  epsilon: number,
): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, target)
  const step = tf.mul(tf.sign(gradient), epsilon)
  return tf.clipByValue(tf.sub(x, step), 0, 1)
}
