import { data, oracle, progress, submit, surrogate, task, tf } from 'lab'
import { choose } from './choose'
import { believe } from './labels'

const [rows, rounds] = [Number(task.queries), Number(task.rounds)]
const { x } = await data.sample()
const open = Array.from({ length: x.shape[0]! }, (_, i) => i)
const asked: number[] = []
const told: number[] = []

/** What the copy makes of some digits. */
async function opinions(positions: number[]): Promise<number[][]> {
  const logits = await surrogate.logits(tf.gather(x, positions))
  return (await tf.softmax(logits).array()) as number[][]
}

async function ask(positions: number[]): Promise<void> {
  told.push(...(await oracle.decide(tf.gather(x, positions))))
  asked.push(...positions)
}

/** Some steps on the answers that are believed. */
async function study(steps: number, believed: boolean[]): Promise<void> {
  const good = asked.map((_, i) => i).filter((i) => believed[i])
  if (good.length === 0) throw new Error('believe left no answer to learn from; believe some of them')
  for (let step = 0; step < steps; step++) {
    const some = Array.from({ length: 64 }, () => good[Math.floor(Math.random() * good.length)]!)
    const batch = tf.gather(
      x,
      some.map((i) => asked[i]!),
    )
    const answers = tf.oneHot(
      some.map((i) => told[i]!),
      10,
    )
    const part = (step + 1) / steps
    await surrogate.learn(batch, answers, 0.008 * Math.min(4 * part, (4 / 3) * (1 - part) + 0.01))
    tf.dispose([batch, answers])
    progress(asked.length - rows / rounds + ((step + 1) / steps) * (rows / rounds), rows)
  }
}

await ask(open.splice(0, rows / rounds))
let believed = told.map(() => true)
for (let round = 1; round < rounds; round++) {
  await study(Number(task.steps), believed)
  const chosen = choose(await opinions(open), rows / rounds)
  const positions = chosen.map((i) => open[i]!)
  for (const place of [...chosen].sort((a, b) => b - a)) open.splice(place, 1)
  await ask(positions)
  // The copy has not learned from the new answers yet: its opinion of them is its own.
  believed = believe(await opinions(asked), told)
  console.log(`round ${round + 1}: ${believed.filter(Boolean).length} of ${asked.length} answers believed`)
}
await surrogate.restart()
await study(Number(task.last), believed)
await submit(surrogate)
