/**
 * What it costs to answer less: an owner bends, rounds or blurs what the API tells, a thief trains a clone on it, and an honest user
 * reads it too. Reverse sigmoid: Lee et al. 2019 (arXiv:1806.00054); rounding and the class alone: Tramèr et al. 2016, §7
 * (arXiv:1609.02943).
 */
import type { RunContext } from '../core/run.ts'
import type { DataSet } from '../data/data-set.ts'
import type { AnswerSpec } from '../defences/answer.ts'
import { createTeller } from '../defences/answers.ts'
import { agreement } from '../metrics/extraction.ts'
import { topClasses } from '../models/network.ts'
import { inputsOf, Parties } from './parties.ts'

export interface AnswerPrice {
  /** Share of test pictures whose class an honest user still reads off the answer, and the mean of the highest number told. */
  classKept: number
  confidence: number
  /** Share of test pictures on which the clone says what the owner's model says. */
  clone: number
}

/** For each way of answering, one clone. */
export async function priceAnswers(
  data: DataSet,
  ways: readonly (readonly AnswerSpec[])[],
  seed: number,
  run: Omit<RunContext, 'seed'> = {},
): Promise<AnswerPrice[]> {
  const parties = new Parties(data, seed, run)
  const owner = await parties.train('owner', parties.owners())
  run.onStep?.(1, ways.length + 1)
  const thiefs = parties.thiefs()
  const honest = await parties.ask(owner, inputsOf(thiefs))
  const { inputs } = parties.test()
  const { numClasses } = parties.architecture
  const exact = await parties.ask(owner, inputs)
  const read = topClasses(exact, numClasses)
  const prices: AnswerPrice[] = []
  for (const specs of ways) {
    const tell = createTeller(specs, seed)
    const told = tell(exact, numClasses)
    const targets = normalised(tell(honest, numClasses), numClasses)
    const clone = await parties.train('clone', thiefs, { targets })
    prices.push({
      classKept: agreement(read, topClasses(told, numClasses)),
      confidence: meanTop(told, numClasses),
      clone: agreement(read, await parties.read(clone, inputs)),
    })
    run.onStep?.(prices.length + 1, ways.length + 1)
  }
  return prices
}

/** Rows that sum to 1; one of nothing is spread evenly. */
function normalised(rows: Float32Array, width: number): Float32Array {
  const out = Float32Array.from(rows)
  for (let from = 0; from < out.length; from += width) {
    const row = out.subarray(from, from + width)
    const sum = row.reduce((total, value) => total + value, 0)
    for (let k = 0; k < width; k++) row[k] = sum > 0 ? Math.min(1, row[k]! / sum) : 1 / width
  }
  return out
}

function meanTop(rows: Float32Array, width: number): number {
  let sum = 0
  for (let from = 0; from < rows.length; from += width) sum += Math.max(...rows.subarray(from, from + width))
  return (sum * width) / rows.length
}
