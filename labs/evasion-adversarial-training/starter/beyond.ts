import { tf, type Tensor, type Victim } from 'lab'
import { worstCase } from './worst-case'

/**
 * An attack on your own vaccinated reader that its vaccination never promised to stop: the change of a digit
 * may have the Euclidean length `length`, however it is spread over the pixels.
 *
 * @param victim your vaccinated reader
 * @param x digits, (N, 28, 28, 1), every pixel in [0, 1]
 * @param y the digit each one really is
 * @param length longest change of one digit as a whole, in L2
 * @returns the changed digits, same shape
 */
export async function beyond(victim: Victim, x: Tensor, y: number[], length: number): Promise<Tensor> {
  // The worst case you trained on, made shorter: spread evenly, 784 pixels may move by length / 28 each.
  const adversarial = await worstCase(victim, x, y, length / 28, 10)

  const lengths = tf.sqrt(tf.sum(tf.square(tf.sub(adversarial, x)), [1, 2, 3]))
  console.log(`the longest change is ${(await tf.max(lengths).data())[0]} of ${length}`)

  // Yours: spend the length where it hurts, on few pixels, in many steps.
  return adversarial
}
