import { tf, type Tensor, type Victim } from 'lab'

/** One step of epsilon along the sign of the loss gradient (Goodfellow et al. 2015, §4). */
export async function fgsm(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, y)
  const step = tf.mul(tf.sign(gradient), epsilon)
  return tf.clipByValue(tf.add(x, step), 0, 1)
}
