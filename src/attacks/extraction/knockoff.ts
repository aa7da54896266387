/**
 * Knockoff nets: show the victim whatever pictures there are, and train a network of one's own on its probabilities.
 * Orekondy, Schiele, Fritz 2019, "Knockoff nets: stealing functionality of black-box models", §4 (the random strategy),
 * arXiv:1812.02766.
 *
 * Threat model: score-based black box; the thief knows neither the training data nor the layers.
 */
import type { ScoreOracle } from '../../core/classifier.ts'
import type { RunContext } from '../../core/run.ts'
import { Apprentice, schooling, schoolingKnobs, type Schooling } from '../apprentice.ts'
import type { ExtractionEntry, ExtractionResult, ThiefMeans } from '../attack.ts'
import { drawInputs, sourceKnob, type Source } from '../query-choice.ts'
import { readOptions } from '../check.ts'

export type KnockoffOptions = Schooling & { source: Source }

const defaults: KnockoffOptions = { ...schooling, source: 'pool' }

/**
 * Asks about maxQueries inputs, drawn from the pool without putting back (all of them, when it has fewer) or at random from the
 * bounds, and trains the surrogate on the answers. Probabilities that an answer hides are taken as spread evenly. `shortfall`: the oracle
 * refused, an answer was no number, or all answers name one class. Throws RangeError for an option out of range, `bad-input`
 * for means that are missing or do not fit.
 *
 * Differs from the paper: the random strategy only (its adaptive one needs a labelled pool; active-thief chooses without).
 */
export async function knockoff(
  oracle: ScoreOracle,
  means: ThiefMeans,
  options: Partial<KnockoffOptions>,
  run: RunContext,
): Promise<ExtractionResult> {
  const { source, ...school } = readOptions(entry, options) as KnockoffOptions
  const apprentice = new Apprentice('knockoff', oracle, means, school, run)
  await apprentice.ask(drawInputs('knockoff', source, means, oracle, school.maxQueries, run.seed))
  await apprentice.study(0, 1)
  return apprentice.result()
}

export const entry: ExtractionEntry = {
  id: 'knockoff',
  title: 'Knockoff nets',
  summary: 'Show the victim any pictures at all, and train a copy on the probabilities it answers.',
  family: 'extraction',
  access: 'score',
  needs: ['architecture', 'pool'],
  paper: { cite: 'Orekondy et al. 2019', url: 'https://arxiv.org/abs/1812.02766' },
  defaults,
  parameters: [sourceKnob(), ...schoolingKnobs()],
  run: knockoff,
}
