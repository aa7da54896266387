import { tf, type Tensor, type Victim } from 'lab'

/** The Euclidean length of each row, as (N, 1, 1, 1), so that a tensor of images can be divided by it. */
export const lengthOf = (images: Tensor): Tensor =>
  tf.maximum(tf.sqrt(tf.sum(tf.square(images), [1, 2, 3], true)), 1e-12)

/**
 * Projected gradient descent, L2: the budget is the length of the whole change, not the largest pixel of it.
 *
 * @param victim the model: `await victim.lossAndGradient(x, y)`
 * @param x the original digits, (N, 28, 28, 1), every pixel in [0, 1]
 * @param y the digit each one really is
 * @param epsilon how long the whole change of one digit may be
 * @returns the changed digits, same shape
 */
export async function pgdL2(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, y)
  const [longest] = await tf.max(lengthOf(tf.sign(gradient))).data()
  console.log(`a sign step of 0.1 would be ${0.1 * (longest ?? 0)} long; the whole budget is ${epsilon}`)

  // Yours: the loop of pgd with another step and another projection. Both need lengthOf.
  throw new Error(
    'pgd-l2 is not written yet. First try: tf.div(gradient, lengthOf(gradient)) is a step of length 1 in the best direction',
  )
}
