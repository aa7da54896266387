import { tf, type Tensor, type Victim } from 'lab'

/**
 * Changes of at most epsilon in every pixel that turn the *vote*: what the reader says on most noisy copies.
 *
 * @param victim the reader that you trained on noise
 * @param x digits, (N, 28, 28, 1), every pixel in [0, 1]
 * @param y the digit each one really is
 * @param epsilon how far one pixel may move
 * @param sigma deviation of the noise that the vote is taken under
 * @returns the changed digits, same shape
 */
export async function outside(
  victim: Victim,
  x: Tensor,
  y: number[],
  epsilon: number,
  sigma: number,
): Promise<Tensor> {
  // The slope on one noisy copy of each digit. Another copy has another slope.
  const noisy = tf.add(x, tf.randomNormal(x.shape, 0, sigma))
  const { loss } = await victim.lossAndGradient(noisy, y)
  const [mean] = await tf.mean(loss).data()
  console.log(`mean loss on one noisy copy of each digit: ${mean}`)

  // Yours: many small steps, each up the mean slope of several noisy copies, and never farther than epsilon from x.
  throw new Error(
    `outside is not written yet. The mean loss under noise is ${mean}, and every pixel may move by ${epsilon}. First try: add up the gradients of a few noisy copies and look at the sign.`,
  )
}
