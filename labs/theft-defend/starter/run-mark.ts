import { data, oracle, submit } from 'lab'
import { design, enough, type Mark } from './mark'

// Pictures that have nothing to do with digits, and what a digit model without any mark reads in them.
const { ids, x } = await data.sample()
const reads = await oracle.decide(x)

const { labels, repeats = NaN } = (design(reads) ?? {}) as Partial<Mark>
if (labels?.length !== ids.length || !Number.isFinite(repeats))
  throw new Error(
    `design must return { labels, repeats }, a label for each of the ${ids.length} pictures and a number; got ${labels?.length ?? 'no'} labels and ${repeats}.`,
  )
const used = labels.filter((label) => label >= 0).length
const least = enough(used, 1 / 10, 1e-6)
console.log(`${used} triggers, each ${repeats} times; ${least} hits are enough to accuse`)
await submit({ ids, scores: { label: labels, repeats: ids.map(() => repeats), least: ids.map(() => least) } })
