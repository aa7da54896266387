/**
 * Copycat: a copy trained on the classes alone that the victim names for unlabelled pictures, whatever they show.
 * Correia-Silva, Berriel, Badue, de Souza, Oliveira-Santos 2018, "Copycat CNN: stealing knowledge by persuading confession with
 * random non-labeled data", §III, arXiv:1806.05476.
 *
 * Threat model: decision-based black box; the thief knows neither the training data nor the layers.
 */
import type { DecisionOracle } from '../../core/classifier.ts'
import type { RunContext } from '../../core/run.ts'
import { Apprentice, decisionsAsScores, schooling, schoolingKnobs, type Schooling } from '../apprentice.ts'
import type { ExtractionEntry, ExtractionResult, ThiefMeans } from '../attack.ts'
import { readOptions } from '../check.ts'
import { drawInputs, sourceKnob, type Source } from '../query-choice.ts'

export type CopycatOptions = Schooling & { source: Source }

const defaults: CopycatOptions = { ...schooling, source: 'pool' }

/**
 * Asks about maxQueries inputs, drawn as in knockoff, and trains the surrogate on the classes. `shortfall` and what is thrown: as
 * in knockoff.
 *
 * Differs from the paper: no augmentation of the pictures, and the copy starts from random weights instead of a pretrained network.
 */
export async function copycat(
  oracle: DecisionOracle,
  means: ThiefMeans,
  options: Partial<CopycatOptions>,
  run: RunContext,
): Promise<ExtractionResult> {
  const { source, ...school } = readOptions(entry, options) as CopycatOptions
  const apprentice = new Apprentice('copycat', decisionsAsScores(oracle), means, school, run)
  await apprentice.ask(drawInputs('copycat', source, means, oracle, school.maxQueries, run.seed))
  await apprentice.study(0, 1)
  return apprentice.result()
}

export const entry: ExtractionEntry = {
  id: 'copycat',
  title: 'Copycat',
  summary: 'Show the victim any pictures at all, and train a copy on nothing but the classes it names.',
  family: 'extraction',
  access: 'decision',
  needs: ['architecture', 'pool'],
  paper: { cite: 'Correia-Silva et al. 2018', url: 'https://arxiv.org/abs/1806.05476' },
  defaults,
  parameters: [sourceKnob(), ...schoolingKnobs()],
  run: copycat,
}
