import { data, submit, task } from 'lab'
import { plantUnseen } from './unseen'

const { ids, y } = await data.sample()
const rows = ids.map((id, i) => ({ id, label: y[i]! }))
await submit(await plantUnseen(rows, Number(task.source), task.target, Number(task.budget)))
