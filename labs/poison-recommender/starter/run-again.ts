import { data, recommend, submit, task } from 'lab'
import { inventAgain } from './again'

const shop = await data.ratings()
const filter = { neighbours: Number(task.neighbours), cut: Number(task.cut) }
const profiles = await inventAgain(shop, Number(task.item), Number(task.budget), filter)
const { exposure, removed } = await recommend({ profiles })
const caught = removed.filter((shopper) => shopper >= shop.shoppers).length
console.log(
  `The filter leaves out ${caught} of your ${profiles.length}; ${(100 * exposure).toFixed(1)} % of the shoppers are shown the item`,
)
await submit({ profiles })
