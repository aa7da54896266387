import { tf, type Tensor, type Victim } from 'lab'

/**
 * DeepFool: the nearest border of each digit, as if all borders were straight; step onto it, and look again.
 *
 * @param victim the reader
 * @param x digits, (N, 28, 28, 1), every pixel in [0, 1]
 * @param y the digit each one really is
 * @returns the changed digits, same shape, as near to x as you can
 */
export async function deepfool(victim: Victim, x: Tensor, y: number[]): Promise<Tensor> {
  // How far each class lies behind the right one, for every digit: gaps[i][k].
  const scores = (await (await victim.logits(x)).array()) as number[][]
  const gaps = scores.map((row, i) => row.map((score, k) => (k === y[i] ? 1e9 : row[y[i]!]! - score)))

  // One border as an example: class 3 against the right class. How steep is the difference of their scores?
  const slope = await victim.vjp(x, towards(3, y, victim.numClasses))
  const length = await lengthOf(slope).data()
  const i = y.findIndex((digit) => digit !== 3)
  console.log(
    `a ${y[i]}: 3 lies ${gaps[i]![3]} behind, and the gap closes by ${length[i]} per unit of change`,
  )

  // Yours.
  throw new Error(
    `deepfool is not written yet. Gap ${gaps[i]![3]} over slope ${length[i]} is how far the border to 3 is, if it is straight. First try: work that out for every class, and take the nearest.`,
  )
}

/** +1 for class k, −1 for the right class of each digit: the slope of their difference. */
const towards = (k: number, y: number[], classes: number) => {
  const wanted = y.map(() => k)
  return tf.cast(tf.sub(tf.oneHot(wanted, classes), tf.oneHot(y, classes)), 'float32')
}

/** The Euclidean length of each row. */
const lengthOf = (rows: Tensor) => tf.sqrt(tf.sum(tf.square(rows), [1, 2, 3]))
