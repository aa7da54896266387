import { data, recommend, submit, task } from 'lab'
import { invent } from './profiles'

const shop = await data.ratings()
const before = await recommend()
console.log(`${(100 * before.exposure).toFixed(1)} % of the shoppers are shown item ${task.item}`)

const profiles = await invent(shop, Number(task.item), Number(task.budget))
const after = await recommend({ profiles })
console.log(
  `With your shoppers ${(100 * after.exposure).toFixed(1)} %; hit rate ${(100 * before.hitRate).toFixed(1)} → ${(100 * after.hitRate).toFixed(1)} %`,
)
await submit({ profiles })
