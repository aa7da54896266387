import { log, submit } from 'lab'
import { settle, watch } from './watch'

// Last week's accounts: customers that you know. What is usual for them?
const { honest, today } = await log.accounts()
const streams = []
for (const account of honest) streams.push(await log.entries(account))
const limits = settle(streams)
console.log('limits:', limits)

// Today's accounts, question by question, as they come. A watch never looks ahead.
const alarm: number[] = []
for (const account of today) {
  const closes = watch(limits) as ReturnType<typeof watch> | undefined
  if (typeof closes !== 'function')
    throw new Error(`watch must return a function that is called for every question; got ${typeof closes}.`)
  let at = 0
  for (const [i, entry] of (await log.entries(account)).entries())
    if (closes(entry)) {
      at = i + 1
      break
    }
  alarm.push(at)
}
console.log(`${alarm.filter((at) => at > 0).length} of ${today.length} accounts closed`)
await submit({ ids: today, scores: { alarm } })
