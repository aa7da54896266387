import { data, oracle, progress, submit, surrogate, task, tf, type Tensor } from 'lab'
import { choose } from './choose'

const [rows, rounds] = [Number(task.queries), Number(task.rounds)]
const { x } = await data.sample()
const open = Array.from({ length: x.shape[0]! }, (_, i) => i)
const asked: number[] = []
let answers: Tensor | undefined

/** Asks about these digits and keeps their answers. */
async function ask(positions: number[]): Promise<void> {
  const told = await oracle.scores(tf.gather(x, positions))
  answers = answers ? tf.concat([answers, told]) : told
  asked.push(...positions)
}

/** What the copy makes of the digits that are still open. */
async function opinions(): Promise<number[][]> {
  const logits = await surrogate.logits(tf.gather(x, open))
  return (await tf.softmax(logits).array()) as number[][]
}

/** Some steps on everything that was answered. */
async function study(steps: number, rate: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const some = Array.from({ length: 64 }, () => Math.floor(Math.random() * asked.length))
    const [batch, told] = [
      tf.gather(
        x,
        some.map((i) => asked[i]!),
      ),
      tf.gather(answers!, some),
    ]
    const part = (step + 1) / steps
    await surrogate.learn(batch, told, rate * Math.min(4 * part, (4 / 3) * (1 - part) + 0.01))
    tf.dispose([batch, told])
    progress(asked.length - rows / rounds + ((step + 1) / steps) * (rows / rounds), rows)
  }
}

// The first round is anything: the copy has no opinion yet.
await ask(open.splice(0, rows / rounds))
for (let round = 1; round < rounds; round++) {
  await study(Number(task.steps), 0.008)
  const chosen = choose(await opinions(), rows / rounds)
  const positions = chosen.map((i) => open[i])
  if (positions.some((p) => p === undefined) || new Set(positions).size < positions.length)
    throw new Error(
      `choose must return different positions from 0 to ${open.length - 1}; got ${JSON.stringify(chosen.slice(0, 8))} …`,
    )
  await ask(positions as number[])
  for (const place of [...chosen].sort((a, b) => b - a)) open.splice(place, 1)
  console.log(`round ${round + 1}: ${asked.length} of ${rows} rows asked about`)
}
await surrogate.restart()
await study(Number(task.last), 0.008)
await submit(surrogate)
