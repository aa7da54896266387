import { data, oracle, submit, task } from 'lab'
import { settle, type Counter } from './counter'

// You own the model now, and it answers you exactly.
const { ids, x } = await data.sample()
const scores = (await (await oracle.scores(x)).array()) as number[][]
const customers = scores.map((row) => Math.max(...row))
const strangers = String(task.strangers).split(' ').map(Number)

const { decimals = NaN, sure = NaN } = (settle(customers, strangers) ?? {}) as Partial<Counter>
if (!Number.isFinite(decimals) || !Number.isFinite(sure))
  throw new Error(
    `settle must return { decimals, sure }, two finite numbers; got ${decimals} and ${sure}. First try: { decimals: 2, sure: 0.5 }.`,
  )
console.log(`${decimals} decimals; below ${sure} a lie`)
// The same two numbers for everybody: they stand beside each picture.
await submit({ ids, scores: { decimals: ids.map(() => decimals), sure: ids.map(() => sure) } })
