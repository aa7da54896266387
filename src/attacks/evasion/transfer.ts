/**
 * Transfer: attack a model of your own, whose gradients you have, and show the result to the victim.
 * Papernot, McDaniel, Goodfellow 2016, "Transferability in machine learning", arXiv:1605.07277; with momentum
 * (Dong et al. 2018, arXiv:1710.06081), since steps that agree with earlier ones carry over better.
 *
 * Threat model: decision-based black box with a surrogate; budget epsilon in L∞, a query for each strength.
 */
import type { DecisionOracle, WhiteBoxAccess } from '../../core/classifier.ts'
import { isAdversarial, type Criterion } from '../../core/criteria.ts'
import { PerturbError } from '../../core/errors.ts'
import {
  decisionsFrom,
  distanceOf,
  searchRows,
  type RowSearch,
  type SearchRow,
} from '../../core/row-search.ts'
import type { RunContext } from '../../core/run.ts'
import type * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { atLeastZero, checkBatch, readOptions, wholeNumber } from '../check.ts'
import { miFgsm } from './mi-fgsm.ts'

export type TransferOptions = {
  /** Largest strength, in the same units as x. */
  epsilon: number
  /** Strengths that are tried, evenly up to epsilon, weakest first: as many queries a row at most. */
  tries: number
  /** Steps of the attack on the surrogate, at each strength. */
  steps: number
  /** How much of the direction so far each step keeps. */
  decay: number
}

const defaults: TransferOptions = { epsilon: 0.1, tries: 5, steps: 10, decay: 1 }

/**
 * x: (N, …inputShape) in the victim's bounds, which are the surrogate's too. The surrogate is asked for
 * gradients as often as one likes; the oracle is shown each row's examples from the weakest on, until one
 * succeeds. A row comes back as the weakest example that succeeds, or as the strongest when none does. One
 * that is misread already, or read as its target, is attacked like any other; with epsilon 0 every row comes back
 * as it is. When the oracle's own budget is spent, rows still
 * unanswered come back as they are. Returns a new tensor that the caller disposes; x is untouched. Throws RangeError when
 * epsilon or decay is negative, tries or steps are not whole numbers above 0; `bad-input` without a surrogate, when
 * the surrogate reads other inputs or knows other classes, or when x or the labels do not fit.
 */
export async function transfer(
  oracle: DecisionOracle,
  x: tf.Tensor,
  criterion: Criterion,
  { surrogate, ...options }: Partial<TransferOptions> & { surrogate?: WhiteBoxAccess },
  run: RunContext,
): Promise<EvasionResult> {
  const { epsilon, tries, steps, decay } = readOptions(entry, options) as TransferOptions
  atLeastZero('transfer', 'epsilon', epsilon)
  wholeNumber('transfer', 'tries', tries, 1)
  wholeNumber('transfer', 'steps', steps, 1)
  atLeastZero('transfer', 'decay', decay)
  checkBatch('transfer', oracle, x, criterion)
  const model = checkSurrogate(surrogate, oracle)

  const examples: Float32Array[] = []
  for (let attempt = 1; attempt <= tries; attempt++) {
    const strength = (epsilon * attempt) / tries
    const attack = { epsilon: strength, steps, stepSize: Math.max(1e-9, (2 * strength) / steps), decay }
    const { adversarial } = await miFgsm(model, x, criterion, attack, {
      seed: run.seed,
      ...(run.signal && { signal: run.signal }),
    })
    try {
      examples.push(Float32Array.from(await adversarial.data()))
    } finally {
      adversarial.dispose()
    }
  }
  return searchRows({
    x,
    info: oracle,
    maxQueries: tries,
    name: 'transfer',
    figure: 'distance',
    ask: decisionsFrom(oracle),
    search: (row) => show(row, examples, criterion),
    run,
  })
}

/** Shows the row's examples one by one, until one is a success. */
function* show(row: SearchRow, examples: readonly Float32Array[], criterion: Criterion): RowSearch<number> {
  const width = row.x.length
  for (const all of examples) {
    const example = all.slice(row.index * width, (row.index + 1) * width)
    const [read] = yield [example]
    row.best = example
    row.found = isAdversarial(criterion, row.index, read!)
    if (!row.found) continue
    row.figure = distanceOf(example, row.x, 'linf')
    return
  }
}

function checkSurrogate(surrogate: WhiteBoxAccess | undefined, oracle: DecisionOracle): WhiteBoxAccess {
  if (typeof surrogate?.lossAndGradient !== 'function')
    throw new PerturbError(
      'bad-input',
      'transfer: needs a surrogate, a model whose gradients you may ask for; got none. Next: pass { surrogate }',
    )
  const alike = (a: readonly number[], b: readonly number[]) => a.join() === b.join()
  if (!alike(surrogate.inputShape, oracle.inputShape) || surrogate.numClasses !== oracle.numClasses)
    throw new PerturbError(
      'bad-input',
      `transfer: the surrogate must read (${oracle.inputShape.join(', ')}) into ${oracle.numClasses} classes like the victim; got (${surrogate.inputShape.join(', ')}) into ${surrogate.numClasses}`,
    )
  return surrogate
}

export const entry: EvasionEntry = {
  id: 'transfer',
  title: 'Transfer from a surrogate',
  summary:
    'Fool a model of your own and hope: what fools one model often fools another that learned the same task.',
  family: 'evasion',
  targeted: true,
  access: 'decision',
  paper: { cite: 'Papernot et al. 2016', url: 'https://arxiv.org/abs/1605.07277' },
  defaults,
  parameters: [
    {
      kind: 'number',
      name: 'epsilon',
      label: 'Strength',
      symbol: 'ε',
      help: 'The strongest example that is shown to the victim.',
      min: 0,
      max: 0.3,
      step: 0.005,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'tries',
      label: 'Tries',
      help: 'How many strengths are shown to the victim, one query each, the weakest first.',
      min: 1,
      max: 20,
      step: 1,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'steps',
      label: 'Steps',
      symbol: 'k',
      help: 'Gradients of the surrogate that are followed for each example. They cost the victim nothing.',
      min: 1,
      max: 50,
      step: 1,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'decay',
      label: 'Momentum',
      symbol: 'μ',
      help: 'How much of the direction so far each step keeps. More carries over better to another model.',
      min: 0,
      max: 2,
      step: 0.1,
      unit: '',
      scale: 'linear',
    },
  ],
  run: transfer,
}
