import { data, retrain, submit, task } from 'lab'
import { chooseAgain } from './again'

const { ids, x, y } = await data.sample()
const { scores } = await retrain()
const numbers = await x.data()
const size = numbers.length / ids.length
const rows = ids.map((id, i) => ({
  id,
  label: y[i]!,
  score: scores[i]!,
  x: [...numbers.subarray(i * size, (i + 1) * size)],
}))
await submit({ changes: await chooseAgain(rows, Number(task.budget)) })
