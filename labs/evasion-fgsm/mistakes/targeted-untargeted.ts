// finding: untargeted-instead
// checkpoint: targeted
import { tf, type Tensor, type Victim } from 'lab'

export async function targeted(
  victim: Victim,
  x: Tensor,
  target: number[],
  epsilon: number,
): Promise<Tensor> {
  const shown = await tf.argMax(await victim.logits(x), 1).data()
  const { gradient } = await victim.lossAndGradient(x, Array.from(shown))
  // Away from what it is, towards anything else: `target` only counts the rows.
  const step = tf.mul(tf.sign(gradient), target.length > 0 ? epsilon : 0)
  return tf.clipByValue(tf.add(x, step), 0, 1)
}
