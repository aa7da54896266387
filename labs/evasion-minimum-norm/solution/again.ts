import { tf, type Tensor, type Victim } from 'lab'
import { deepfool } from './deepfool'
import { smallest } from './smallest'

/** The nearer of two attacks, digit by digit: an upper bound is the better the lower it is. */
export async function again(victim: Victim, x: Tensor, y: number[]): Promise<Tensor> {
  const straight = await deepfool(victim, x, y)
  const weighed = await smallest(victim, x, y)
  const far = await distances(victim, x, y, straight)
  const near = await distances(victim, x, y, weighed)
  const nearer = tf.tensor(near.map((distance, i) => (distance < far[i]! ? 1 : 0)))
  return tf.where(tf.reshape(tf.greater(nearer, 0), [y.length, 1, 1, 1]), weighed, straight)
}

/** How far each digit was changed; Infinity where it is still read rightly. */
async function distances(victim: Victim, x: Tensor, y: number[], adversarial: Tensor): Promise<number[]> {
  const read = await tf.argMax(await victim.logits(adversarial), 1).data()
  const length = await lengthOf(tf.sub(adversarial, x)).data()
  return y.map((digit, i) => (read[i] === digit ? Infinity : length[i]!))
}

/** The Euclidean length of each row. */
const lengthOf = (rows: Tensor) => tf.sqrt(tf.sum(tf.square(rows), [1, 2, 3]))
