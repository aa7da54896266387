/**
 * Jacobian-based augmentation: begin with a handful of inputs, and make new ones by pushing each a little further into the class that the
 * victim named, along the copy's own gradient; that is where the copy has most to learn about the border.
 * Papernot, McDaniel, Goodfellow, Jha, Celik, Swami 2017, "Practical black-box attacks against machine learning", Alg. 1 and §4.2,
 * arXiv:1602.02697.
 *
 * Threat model: decision-based black box with a few inputs of the thief's own.
 */
import type { DecisionOracle } from '../../core/classifier.ts'
import { createRng } from '../../core/rng.ts'
import { indexOfMax, readRows } from '../../core/rows.ts'
import type { RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import {
  Apprentice,
  decisionsAsScores,
  joined,
  schooling,
  schoolingKnobs,
  type Schooling,
} from '../apprentice.ts'
import type { ExtractionEntry, ExtractionResult, ThiefMeans } from '../attack.ts'
import { aboveZero, readOptions, wholeNumber } from '../check.ts'
import { drawInputs } from '../query-choice.ts'

export type JacobianOptions = Schooling & {
  /** Inputs of the pool that it begins with. */
  firstInputs: number
  /** How often the set is doubled. */
  rounds: number
  /** Length of a push, of every number, in the units of x. */
  lambda: number
}

const defaults: JacobianOptions = { ...schooling, firstInputs: 100, rounds: 4, lambda: 0.1 }

/**
 * Trains on firstInputs inputs of the pool, then `rounds` times: each input x asked so far gives x + λ · sign(∂F_c/∂x), clipped to the
 * bounds, with F the surrogate's probabilities and c the class that the victim named; the new ones are asked about, and the surrogate is
 * trained anew on all. Where they are more than may still be asked, as many are drawn at random. Answers, `shortfall` and what is
 * thrown: as in copycat.
 *
 * Differs from the paper: the step's sign does not alternate, and inputs are drawn at the end of the budget only (its reservoir
 * sampling draws a fixed number each round).
 */
export async function jacobianAugmentation(
  oracle: DecisionOracle,
  means: ThiefMeans,
  options: Partial<JacobianOptions>,
  run: RunContext,
): Promise<ExtractionResult> {
  const { firstInputs, rounds, lambda, ...school } = readOptions(entry, options) as JacobianOptions
  wholeNumber('jacobian-augmentation', 'firstInputs', firstInputs, 1)
  wholeNumber('jacobian-augmentation', 'rounds', rounds, 1)
  aboveZero('jacobian-augmentation', 'lambda', lambda)
  const apprentice = new Apprentice('jacobian-augmentation', decisionsAsScores(oracle), means, school, run)
  await apprentice.ask(drawInputs('jacobian-augmentation', 'pool', means, oracle, firstInputs, run.seed))
  await apprentice.study(0, rounds + 1)
  const rng = createRng(run.seed, 'jacobian-augmentation')
  for (let round = 1; round <= rounds && apprentice.left > 0 && apprentice.inputs.length > 0; round++) {
    const pushed = await pushOn(apprentice, lambda)
    await apprentice.ask(pushed.length > apprentice.left ? rng.shuffle(pushed) : pushed)
    await apprentice.study(round, rounds + 1)
  }
  return apprentice.result()
}

/** Every input asked about so far, a step further into the class that it was answered with. */
async function pushOn(apprentice: Apprentice, lambda: number): Promise<Float32Array[]> {
  const { inputs, answers, info } = apprentice
  return apprentice.withModel(async (model) => {
    const x = tf.tensor(joined(inputs), [inputs.length, ...info.inputShape])
    const owned: tf.Tensor[] = [x]
    try {
      // −log F_c falls where F_c rises, whatever its size.
      const { loss, gradient } = await model.lossAndGradient(x, answers.map(indexOfMax))
      owned.push(loss, gradient)
      const pushed = tf.tidy(() =>
        tf.clipByValue(tf.sub(x, tf.mul(tf.sign(gradient), lambda)), info.bounds[0], info.bounds[1]),
      )
      owned.push(pushed)
      return await readRows(pushed)
    } finally {
      tf.dispose(owned)
    }
  })
}

export const entry: ExtractionEntry = {
  id: 'jacobian-augmentation',
  title: 'Jacobian-based augmentation',
  summary: 'From a handful of pictures, make new ones along the copy’s own gradient, and ask about those.',
  family: 'extraction',
  access: 'decision',
  needs: ['architecture', 'pool'],
  paper: { cite: 'Papernot et al. 2017', url: 'https://arxiv.org/abs/1602.02697' },
  defaults,
  parameters: [
    {
      kind: 'number',
      name: 'firstInputs',
      label: 'First pictures',
      help: 'Pictures of the thief’s own to begin with. Each round doubles their number.',
      min: 1,
      max: 1000,
      step: 1,
      unit: '',
      scale: 'log',
    },
    {
      kind: 'number',
      name: 'rounds',
      label: 'Rounds',
      symbol: 'ρ',
      help: 'How often every picture is pushed on and asked about again.',
      min: 1,
      max: 10,
      step: 1,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'lambda',
      label: 'Push',
      symbol: 'λ',
      help: 'How far every pixel moves in a push. Small steps stay near the pictures; a watch on distances sees them.',
      min: 0.01,
      max: 0.5,
      step: 0.01,
      unit: '',
      scale: 'log',
    },
    ...schoolingKnobs(),
  ],
  run: jacobianAugmentation,
}
