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

/** Asks about noise, which costs no camera. */
export async function ask(oracle: Oracle, pictures: Tensor, rows: number): Promise<Loot> {
  const count = Math.min(rows, pictures.shape[0]!)
  const parts: Tensor[] = []
  const noise = tf.randomUniform([count, 28, 28, 1])
  for (let from = 0; from < count; from += 100) {
    const size = Math.min(100, count - from)
    parts.push(await oracle.scores(tf.slice(noise, from, size)))
    progress(from + size, count)
  }
  return { x: noise, answers: tf.concat(parts) }
}

/** Trains the copy on what was answered: 64 rows a step, drawn at random, at a rate that rises briefly and then falls. */
export async function study(surrogate: Surrogate, { x, answers }: Loot): Promise<void> {
  const rows = x.shape[0]!
  for (let step = 0; step < plan.steps; step++) {
    const some = Array.from({ length: 64 }, () => Math.floor(Math.random() * rows))
    const [batch, told] = [tf.gather(x, some), tf.gather(answers, some)]
    const part = (step + 1) / plan.steps
    await surrogate.learn(batch, told, plan.rate * Math.min(4 * part, (4 / 3) * (1 - part) + 0.01))
    tf.dispose([batch, told])
    progress(step + 1, plan.steps)
  }
}
