import { data, features, retrain, submit, task, tf, victim } from 'lab'
import { collide } from './collide'

const { ids, x, y } = await data.sample()
const target = await data.target()
// The first rows are your uploads; the others are other people's.
const mine = Number(task.uploads)
const bases = tf.slice(x, 0, mine)
const poisons = await collide(features, bases, target.x, task.epsilon)
const changes = ids.slice(0, mine).map((id, i) => ({ id, label: y[i]! }))

await retrain(changes, { x: poisons })
const chances = await tf.softmax(await victim.logits(target.x)).data()
console.log(
  `Trained with your uploads, the model gives the target ${(100 * chances[task.target]!).toFixed(0)} %`,
)
await submit({ changes, x: poisons })
