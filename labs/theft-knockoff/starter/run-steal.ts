import { data, oracle, submit, surrogate, task } from 'lab'
import { ask, study } from './steal'

const { x } = await data.sample()
console.log(`${x.shape[0]} garments lie here, and ${task.queries} rows may be asked about`)
const loot = await ask(oracle, x, Number(task.queries))
await study(surrogate, loot)
await submit(surrogate)
