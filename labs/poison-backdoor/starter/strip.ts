import { tf, victim, type Tensor } from 'lab'

/**
 * Watches what comes in: which pictures does the reader hold on to, whatever is laid over them?
 * @param x pictures that came in, (N, 28, 28, 1); some carry a sign that you do not know
 * @param trusted pictures that you took yourself, (M, 28, 28, 1)
 * @returns for each picture of x whether to raise the alarm
 */
export async function alarm(x: Tensor, trusted: Tensor): Promise<boolean[]> {
  const [first, second] = [
    tf.slice(x, [0, 0, 0, 0], [1, 28, 28, 1]),
    tf.slice(trusted, [0, 0, 0, 0], [1, 28, 28, 1]),
  ]
  const laid = tf.clipByValue(tf.add(first, second), 0, 1)
  const [before, after] = [await victim.logits(first), await victim.logits(laid)]
  console.log(`the first is read as ${await tf.argMax(before, 1).data()}`)
  console.log(`with another picture laid over it as ${await tf.argMax(after, 1).data()}`)
  throw new Error(
    `alarm is not written yet: lay several trusted pictures over each of the ${x.shape[0]} that came in, and see how often the reader changes its mind`,
  )
}
