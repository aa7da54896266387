import { tf, type Tensor, type Victim } from 'lab'

/**
 * The fast gradient sign method: one step, the same length for every pixel.
 *
 * @param victim the model that reads the cheque: `await victim.lossAndGradient(x, y)`
 * @param x digits, (N, 28, 28, 1), every pixel from 0 (paper) to 1 (ink)
 * @param y the digit each one really is
 * @param epsilon how far one pixel may move
 * @returns the changed digits, same shape
 */
export async function fgsm(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  // For each pixel: how much the loss grows with a little more ink there.
  const { gradient } = await victim.lossAndGradient(x, y)

  const [steepest] = await tf.max(tf.abs(gradient)).data()
  console.log(`${gradient.size} slopes, the steepest ${steepest}`)

  // Yours: turn the slopes into a step of epsilon, and take it.
  throw new Error(
    `fgsm is not written yet. You hold a slope for every pixel and may move each by ${epsilon}. First try: tf.sign(gradient)`,
  )
}
