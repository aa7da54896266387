import { data, submit, surrogate, task } from 'lab'
import { craft } from './transfer'

// `surrogate` is the copy that you handed in for the chosen digits. The oracle is closed.
const { ids, x, y } = await data.sample()
await submit({ ids, x: await craft(surrogate, x, y, task.epsilon) })
