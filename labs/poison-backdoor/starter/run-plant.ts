import { data, submit, task } from 'lab'
import { plant } from './plant'

const { ids, y } = await data.sample()
const rows = ids.map((id, i) => ({ id, label: y[i]! }))
await submit(await plant(rows, task.target, Number(task.budget)))
