import { progress, tf, type Oracle, type Surrogate, type Tensor } from 'lab'

/** What was asked about, and what was answered: a row of probabilities for each picture. */
export interface Loot {
  x: Tensor
  answers: Tensor
}

/** How long to learn, and how far the largest step goes. They cost the victim nothing. */
export const plan = { steps: 400, rate: 0.012 }

/**
 * Asks the victim about pictures. A request of a hundred is usual; one that does not fit the budget is refused whole.
 *
 * @param pictures garments, (N, 28, 28, 1)
 * @param rows how many you may ask about
 */
export async function ask(oracle: Oracle, pictures: Tensor, rows: number): Promise<Loot> {
  const first = await oracle.scores(tf.slice(pictures, 0, 1))
  console.log('a garment, read as a digit:', await first.array())
  // Yours: ask about all of them, and keep every answer beside its picture.
  throw new Error(
    `ask is not written yet. First try: const x = tf.slice(pictures, 0, 100) and its answers; ${rows} rows are paid for.`,
  )
}

/** Trains the copy on what was answered: 64 rows a step, drawn at random. */
export async function study(surrogate: Surrogate, { x, answers }: Loot): Promise<void> {
  const rows = x.shape[0]!
  for (let step = 0; step < plan.steps; step++) {
    const some = Array.from({ length: 64 }, () => Math.floor(Math.random() * rows))
    const [batch, told] = [tf.gather(x, some), tf.gather(answers, some)]
    if (step === 0) console.log('before the first step', await surrogate.logits(tf.slice(batch, 0, 1)))
    // Yours: one step of surrogate.learn, at a rate that falls from plan.rate towards 0.
    tf.dispose([batch, told])
    progress(step + 1, plan.steps)
  }
  throw new Error(`study is not written yet: ${rows} answers are here and the copy has learned nothing.`)
}
