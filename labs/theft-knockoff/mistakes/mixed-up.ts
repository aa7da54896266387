// finding: nothing-learned
// checkpoint: knockoff
import { progress, tf, type Oracle, type Surrogate, type Tensor } from 'lab'

/** What was asked about, and what was answered: a row of probabilities for each picture. */
export interface Loot {
  x: Tensor
  answers: Tensor
}

/** How long to learn, and how far the largest step goes. They cost the victim nothing. */
export const plan = { steps: 110, rate: 0.012 }

/** Asks a hundred pictures at a time, until the budget is spent or the pictures are. */
export async function ask(oracle: Oracle, pictures: Tensor, rows: number): Promise<Loot> {
  const count = Math.min(rows, pictures.shape[0]!)
  const parts: Tensor[] = []
  for (let from = 0; from < count; from += 100) {
    const size = Math.min(100, count - from)
    parts.push(await oracle.scores(tf.slice(pictures, from, size)))
    progress(from + size, count)
  }
  return { x: tf.slice(pictures, 0, count), answers: tf.concat(parts) }
}

/** The answers are in order, the pictures are not. */
export async function study(surrogate: Surrogate, { x, answers }: Loot): Promise<void> {
  const rows = x.shape[0]!
  for (let step = 0; step < plan.steps; step++) {
    const some = Array.from({ length: 64 }, () => Math.floor(Math.random() * rows))
    const [batch, told] = [
      tf.gather(x, some),
      tf.gather(
        answers,
        [...some].sort((a, b) => a - b),
      ),
    ]
    const part = (step + 1) / plan.steps
    await surrogate.learn(batch, told, plan.rate * Math.min(4 * part, (4 / 3) * (1 - part) + 0.01))
    tf.dispose([batch, told])
    progress(step + 1, plan.steps)
  }
}
