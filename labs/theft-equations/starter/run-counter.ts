import { data, oracle, submit, task } from 'lab'
import { settle, type Counter } from './counter'

// You are the hospital now: your own model answers you exactly, and your own log tells what clinics ask.
const { ids, x } = await data.sample()
const scores = await oracle.scores(x)
const patients = Array.from(await scores.data()).filter((_, i) => i % 2 === 1)
const days = String(task.days).split(' ').map(Number)

const { step = NaN, perDay = NaN } = (settle(patients, days) ?? {}) as Partial<Counter>
if (!Number.isFinite(step) || !Number.isFinite(perDay))
  throw new Error(
    `settle must return { step, perDay }, two finite numbers; got ${step} and ${perDay}. First try: { step: 0.1, perDay: 30 }.`,
  )
console.log(`answers rounded to ${step}, ${perDay} rows a key and day`)
// The same two numbers for everybody: they stand beside each patient.
await submit({ ids, scores: { step: ids.map(() => step), perDay: ids.map(() => perDay) } })
