import { tf, type Tensor, type Victim } from 'lab'

/**
 * One step towards an answer of your choice: not just a wrong amount, but the amount you want.
 *
 * @param victim the model that reads the cheque
 * @param x digits, (N, 28, 28, 1), every pixel in [0, 1]
 * @param target the digit each one shall be read as
 * @param epsilon how far one pixel may move
 * @returns the changed digits, same shape
 */
export async function targeted(
  victim: Victim,
  x: Tensor,
  target: number[],
  epsilon: number,
): Promise<Tensor> {
  // The loss *for the target*: large while the model does not see it.
  const { loss } = await victim.lossAndGradient(x, target)

  const [mean] = await tf.mean(loss).data()
  console.log(`the mean loss for the target is ${mean}`)

  // Yours: you want that loss small.
  throw new Error(
    `targeted is not written yet. The loss for the target is ${mean}, and every pixel may move by ${epsilon}. First try: which way makes it smaller?`,
  )
}
