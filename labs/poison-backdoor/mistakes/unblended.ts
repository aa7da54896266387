// finding: missed
// checkpoint: caught
import { tf, victim, type Tensor } from 'lab'

/** Asks how sure the reader is, and lays nothing over the picture. */
export async function alarm(x: Tensor): Promise<boolean[]> {
  const answers = tf.softmax(await victim.logits(x))
  const sure = await tf.max(answers, 1).data()
  return [...sure].map((probability) => probability < 0.6)
}
