import { tf, type Tensor, type Victim } from 'lab'

/**
 * Projected gradient descent, L∞: many small steps uphill, each pulled back into the ball of epsilon around x.
 *
 * @param victim the model: `await victim.lossAndGradient(x, y)`
 * @param x the original digits, (N, 28, 28, 1), every pixel in [0, 1]
 * @param y the digit each one really is
 * @param epsilon how far one pixel may end up from its original
 * @returns the changed digits, same shape
 */
export async function pgd(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const steps = 10
  const stepSize = epsilon / 4

  const { loss, gradient } = await victim.lossAndGradient(x, y)
  const [before] = await tf.mean(loss).data()
  const uphill = tf.add(x, tf.mul(tf.sign(gradient), stepSize))
  const [after] = await tf.mean((await victim.lossAndGradient(uphill, y)).loss).data()
  console.log(`mean loss ${before} at the originals, ${after} after one step of ${stepSize}`)

  // Yours: repeat the step, pull the change back into [−epsilon, epsilon], then the pixels into [0, 1].
  throw new Error(
    `pgd is not written yet. One step works; you have ${steps}. First try: for (let i = 0; i < steps; i++) around it, with the gradient asked anew each time`,
  )
}
