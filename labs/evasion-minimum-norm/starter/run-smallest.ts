import { data, submit, victim } from 'lab'
import { smallest } from './smallest'

// Other digits of your variant, all read correctly until now.
const { ids, x, y } = await data.sample()

await submit({ ids, x: await smallest(victim, x, y) })
