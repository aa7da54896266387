import { data, recommend, submit } from 'lab'
import { leaveOut } from './filter'

const shop = await data.ratings()
const before = await recommend()
const without = await leaveOut(shop)
const after = await recommend({ without })
console.log(
  `${without.length} of ${shop.shoppers} left out; the pushed item is in ${(100 * after.exposure).toFixed(1)} % of the lists, after ${(100 * before.exposure).toFixed(1)} %`,
)
await submit({ changes: without.map((id) => ({ id, label: 'drop' })) })
