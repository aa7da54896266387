/**
 * Probabilities rounded to a few decimals: what an API shows anyway. Tramèr et al. 2016, §7, arXiv:1609.02943. It
 * weakens equation solving and does not stop it: more questions win back what rounding hides.
 */
import { wholeNumber } from '../../attacks/check.ts'
import type { AnswerEntry } from '../answer.ts'

type RoundingOptions = { decimals: number }

export const entry: AnswerEntry<RoundingOptions> = {
  id: 'rounding',
  title: 'Rounding',
  summary: 'Fewer decimals are told: an honest user misses nothing, an equation loses digits.',
  paper: { cite: 'Tramèr et al. 2016', url: 'https://arxiv.org/abs/1609.02943' },
  random: false,
  defaults: { decimals: 2 },
  parameters: [
    {
      kind: 'number',
      name: 'decimals',
      label: 'Decimals',
      help: 'How many digits after the point are told. 0 tells nothing but which class is as good as certain.',
      min: 0,
      max: 6,
      step: 1,
      unit: '',
      scale: 'linear',
    },
  ],
  check: ({ decimals }) => wholeNumber('rounding', 'decimals', decimals, 0),
  answer: (row, { decimals }) => {
    const scale = 10 ** decimals
    return row.map((p) => Math.round(p * scale) / scale)
  },
}
