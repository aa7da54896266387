import { log, submit, task } from 'lab'
import { plan } from './plan'

// What you have before you ask: first your own questions, then pictures like any customer's. This is a rehearsal, so you are told
// what the log will hold.
const { today } = await log.accounts()
const stock = await log.entries(today[0]!)
const keys = plan(stock, Number(task.own), Number(task.keys)) as number[][] | undefined
if (!keys?.every(Array.isArray))
  throw new Error(`plan must return a list of rows for each of your ${task.keys} keys; got ${typeof keys}.`)

const key = stock.map(() => -1)
const place = stock.map(() => 0)
for (const [k, rows] of keys.entries()) {
  const own = rows.filter((row) => row < Number(task.own)).length
  console.log(`key ${k}: ${own} questions of yours among ${rows.length}`)
  for (const [i, row] of rows.entries()) {
    key[row] = k
    place[row] = i
  }
}
await submit({ ids: stock.map((_, row) => row), scores: { key, place } })
