import { data, oracle, submit } from 'lab'
import { design, enough } from './mark'

// Pictures that have nothing to do with digits, and what a digit model without any mark reads in them.
const { ids, x } = await data.sample()
const reads = await oracle.decide(x)

const { labels, repeats } = design(reads)
const used = labels.filter((label) => label >= 0).length
const least = enough(used, 1 / 10, 1e-6)
console.log(`${used} triggers, each ${repeats} times; ${least} hits are enough to accuse`)
await submit({ ids, scores: { label: labels, repeats: ids.map(() => repeats), least: ids.map(() => least) } })
