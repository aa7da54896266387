import { data, features, submit, task, tf } from 'lab'
import { collideAgain } from './again'

const { ids, x, y } = await data.sample()
const target = await data.target()
const mine = Number(task.uploads)
const others = {
  y: y.slice(mine),
  features: await features.of(tf.slice(x, mine)),
}
const poisons = await collideAgain(features, tf.slice(x, 0, mine), target.x, task.epsilon, others)
await submit({ changes: ids.slice(0, mine).map((id, i) => ({ id, label: y[i]! })), x: poisons })
