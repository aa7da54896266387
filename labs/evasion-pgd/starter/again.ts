import { attacks, tf, type Tensor, type Victim } from 'lab'

/**
 * The strongest attack you can make within the budget, against the model that you hardened.
 *
 * @param victim your hardened model
 * @param x digits that it reads rightly, (N, 28, 28, 1)
 * @param y the digit each one really is
 * @param epsilon how far one pixel may end up from its original
 * @returns the changed digits, same shape
 */
export async function again(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  // The test that your hardening passed: three long steps from the original, once.
  const quick = await attacks.pgd(victim, x, y, { epsilon, steps: 3, stepSize: epsilon / 2 })
  console.log(`the quick test reads ${await wrong(victim, quick, y)} of ${y.length} wrongly`)

  // Yours: more steps, random starts, several tries, and for each digit the best of them.
  return quick
}

/** How many of them are misread. */
export async function wrong(victim: Victim, images: Tensor, y: number[]): Promise<number> {
  const read = (await tf.argMax(await victim.logits(images), 1).array()) as number[]
  return read.filter((digit, i) => digit !== y[i]).length
}
