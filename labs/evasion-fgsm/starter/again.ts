import { tf, type Tensor, type Victim } from 'lab'
import { fgsm } from './fgsm'

/**
 * The same attack, several small steps instead of one long one, against the model you repaired.
 *
 * @param victim your repaired model
 * @param x the original digits, (N, 28, 28, 1), every pixel in [0, 1]
 * @param y the digit each one really is
 * @param epsilon how far one pixel may end up from its original
 * @returns the changed digits, same shape
 */
export async function again(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  // One long step, as before. The repair was trained against exactly this.
  const adversarial = await fgsm(victim, x, y, epsilon)

  const [moved] = await tf.max(tf.abs(tf.sub(adversarial, x))).data()
  console.log(`the farthest pixel moved by ${moved}`)

  // Yours: take many small steps, look at the gradient anew before each, and stay within epsilon of x.
  return adversarial
}
