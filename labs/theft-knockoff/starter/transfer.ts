import { tf, type Tensor, type WhiteBox } from 'lab'

/**
 * Changes digits so that the *victim* misreads them, with nothing but your copy to look at.
 *
 * @param copy your copy, its gradients open to you
 * @param x digits, (N, 28, 28, 1)
 * @param y what each one shows
 * @param epsilon how far a pixel may move
 */
export async function craft(copy: WhiteBox, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const { loss } = await copy.lossAndGradient(x, y)
  console.log(
    `the copy’s mean loss is ${(await tf.mean(loss).data())[0]!.toFixed(3)} before any change; ε is ${epsilon}`,
  )
  throw new Error('craft is not written yet. First try: return attacks.fgsm(copy, x, y, { epsilon }).')
}
