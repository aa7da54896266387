import { data, submit, task } from 'lab'
import { plantSticker } from './sticker'

const { ids, y } = await data.sample()
const rows = ids.map((id, i) => ({ id, label: y[i]! }))
await submit(await plantSticker(rows, Number(task.source), task.target, Number(task.budget)))
