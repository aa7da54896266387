import { attacks, tf, type Tensor, type Victim } from 'lab'

/** Many steps from several random points of the ball; each digit keeps the run that went farthest. */
export async function again(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const strong = await attacks.pgd(victim, x, y, {
    epsilon,
    steps: 30,
    stepSize: epsilon / 8,
    randomStart: true,
    restarts: 2,
  })
  console.log(`the strong attack reads ${await wrong(victim, strong, y)} of ${y.length} wrongly`)
  return strong
}

/** How many of them are misread. */
export async function wrong(victim: Victim, images: Tensor, y: number[]): Promise<number> {
  const read = (await tf.argMax(await victim.logits(images), 1).array()) as number[]
  return read.filter((digit, i) => digit !== y[i]).length
}
