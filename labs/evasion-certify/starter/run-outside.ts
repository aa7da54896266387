import { data, submit, task, victim } from 'lab'
import { outside } from './outside'

// Digits that your reader, trained on noise, reads rightly. The victim here is that reader.
const { ids, x, y } = await data.sample()

const moved = await outside(victim, x, y, task.epsilon, Number(task.sigma))

await submit({ ids, x: moved })
