import { tf, type Tensor, type Victim } from 'lab'

/**
 * The worst that a few steps find within epsilon of each digit: what the reader shall be trained on.
 *
 * @param victim the reader, as it is at this moment
 * @param x digits, (N, 28, 28, 1), every pixel in [0, 1]
 * @param y the digit each one really is
 * @param epsilon how far a pixel may end up from where it was
 * @param steps how many gradients you may follow
 * @returns the changed digits, same shape
 */
export async function worstCase(
  victim: Victim,
  x: Tensor,
  y: number[],
  epsilon: number,
  steps = 3,
): Promise<Tensor> {
  // Two and a half times epsilon in all: far enough to cross the ball from any point of it.
  const stepSize = (2.5 * epsilon) / steps

  // A random point of the ball to begin at.
  const noise = tf.randomUniform(x.shape, -epsilon, epsilon)
  const start = tf.clipByValue(tf.add(x, noise), 0, 1)

  const { loss } = await victim.lossAndGradient(start, y)
  const [mean] = await tf.mean(loss).data()
  console.log(`mean loss at the random start: ${mean!.toFixed(4)}`)

  // Yours: from there, take the steps.
  throw new Error(
    `worstCase is not written yet. You stand at a random point with a mean loss of ${mean!.toFixed(4)} and may take ${steps} steps of ${stepSize.toFixed(3)}. First try: one step up the gradient's sign, then pull the change back into [−ε, ε] around x`,
  )
}
