/**
 * ActiveThief: ask in rounds, and each time about the pictures that the copy so far is least sure of, or that lie farthest from all it
 * has asked. Pal, Gupta, Shukla, Kanade, Shevade, Ganapathy 2020, "ActiveThief: model extraction using active learning and
 * unannotated public data", AAAI; its preprint, under another title, is arXiv:1905.09165.
 *
 * Threat model: score-based black box with a pool of unlabelled inputs.
 */
import type { ScoreOracle } from '../../core/classifier.ts'
import { createRng } from '../../core/rng.ts'
import type { RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import {
  Apprentice,
  joined,
  readPool,
  schooling,
  schoolingKnobs,
  type Inputs,
  type Schooling,
} from '../apprentice.ts'
import type { ExtractionEntry, ExtractionResult, ThiefMeans } from '../attack.ts'
import { readOptions, wholeNumber } from '../check.ts'
import { chooseRows, type Choice } from '../query-choice.ts'

export type ActiveThiefOptions = Schooling & {
  choice: Choice
  /** Trainings, the first after a random beginning; queries are shared evenly among them. */
  rounds: number
}

const defaults: ActiveThiefOptions = { ...schooling, choice: 'margin', rounds: 5 }

/**
 * Asks about maxQueries / rounds inputs of the pool at random, trains, chooses as many more by the surrogate's own probabilities, and
 * so on; each training starts anew. A pool that is used up ends it. Answers, `shortfall` and what is thrown: as in
 * knockoff. For an API that names classes alone, hand over `decisionsAsScores(oracle)`.
 *
 * Differs from the paper: no validation set that ends a training early, and `margin` beside its entropy.
 */
export async function activeThief(
  oracle: ScoreOracle,
  means: ThiefMeans,
  options: Partial<ActiveThiefOptions>,
  run: RunContext,
): Promise<ExtractionResult> {
  const { choice, rounds, ...school } = readOptions(entry, options) as ActiveThiefOptions
  wholeNumber('active-thief', 'rounds', rounds, 1)
  const apprentice = new Apprentice('active-thief', oracle, means, school, run)
  const pool = readPool('active-thief', means, oracle)
  const open = createRng(run.seed, 'active-thief inputs').shuffle([...pool.keys()])
  for (let round = 0; round < rounds; round++) {
    const count = Math.ceil(apprentice.left / (rounds - round))
    const places =
      round === 0 || choice === 'random'
        ? Array.from({ length: Math.min(count, open.length) }, (_, i) => i)
        : await choose(
            apprentice,
            choice,
            open.map((i) => pool[i]!),
            count,
          )
    await apprentice.ask(places.map((place) => pool[open[place]!]!))
    // From behind, so that the earlier places stay what they are.
    for (const place of [...places].sort((a, b) => b - a)) open.splice(place, 1)
    const isLast = round + 1 === rounds || apprentice.left === 0 || open.length === 0
    await apprentice.study(isLast ? rounds - 1 : round, rounds)
    if (isLast) break
  }
  return apprentice.result()
}

/** Places of the candidates to ask about next. */
async function choose(
  apprentice: Apprentice,
  choice: Exclude<Choice, 'random'>,
  candidates: Inputs,
  count: number,
): Promise<number[]> {
  return apprentice.withModel(async (model) => {
    const read = async (inputs: Inputs) => {
      if (inputs.length === 0) return new Float32Array(0)
      const x = tf.tensor(joined(inputs), [inputs.length, ...model.inputShape])
      const owned: tf.Tensor[] = [x]
      try {
        const logits = await model.logits(x)
        owned.push(logits)
        const scores = tf.softmax(logits)
        owned.push(scores)
        return (await scores.data()) as Float32Array
      } finally {
        tf.dispose(owned)
      }
    }
    const centres = choice === 'k-centre' ? await read(apprentice.inputs) : new Float32Array(0)
    return chooseRows(choice, await read(candidates), centres, model.numClasses, count)
  })
}

export const entry: ExtractionEntry = {
  id: 'active-thief',
  title: 'ActiveThief',
  summary: 'Ask a little, train a copy, and ask next about the pictures that the copy is least sure of.',
  family: 'extraction',
  access: 'score',
  needs: ['architecture', 'pool'],
  paper: { cite: 'Pal et al. 2020', url: 'https://arxiv.org/abs/1905.09165' },
  defaults,
  parameters: [
    {
      kind: 'choice',
      name: 'choice',
      label: 'Ask next about',
      help: 'What the copy doubts, what lies farthest from everything asked, or just anything.',
      choices: [
        { value: 'margin', label: 'the least lead' },
        { value: 'uncertainty', label: 'the highest entropy' },
        { value: 'k-centre', label: 'the farthest' },
        { value: 'random', label: 'anything' },
      ],
    },
    {
      kind: 'number',
      name: 'rounds',
      label: 'Rounds',
      help: 'How often the copy is trained and chooses anew. Each costs one training.',
      min: 1,
      max: 20,
      step: 1,
      unit: '',
      scale: 'linear',
    },
    ...schoolingKnobs(),
  ],
  run: activeThief,
}
