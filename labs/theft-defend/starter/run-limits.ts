import { log, submit } from 'lab'
import { settle } from './limits'

// When last week's honest accounts asked, in seconds.
const { honest } = await log.accounts()
const times: number[][] = []
for (const account of honest) times.push(await log.times(account))

const { size, perHour } = settle(times)
console.log(`a bucket of ${size} rows, filled with ${perHour} an hour`)
// The same two numbers for everybody: they stand beside each account.
await submit({ ids: honest, scores: { size: honest.map(() => size), perHour: honest.map(() => perHour) } })
