/**
 * Normal noise on the probabilities, the plainest of perturbations: what Lee et al. 2019 (arXiv:1806.00054, §5) and Orekondy
 * et al. 2020 (arXiv:1906.10908, §5) measure cleverer ones against. Noise has no aim, so a thief's training averages it out, while
 * every honest answer keeps its error.
 */
import { PerturbError } from '../../core/errors.ts'
import { gaussian } from '../../core/gaussian.ts'
import { indexOfMax } from '../../core/rows.ts'
import type { AnswerEntry } from '../answer.ts'

type NoiseOptions = { deviation: number; keepTop: boolean }

export const entry: AnswerEntry<NoiseOptions> = {
  id: 'noise',
  title: 'Noise',
  summary: 'Every probability is told a little wrong, differently each time.',
  paper: { cite: 'Lee et al. 2019', url: 'https://arxiv.org/abs/1806.00054' },
  random: true,
  defaults: { deviation: 0.2, keepTop: true },
  parameters: [
    {
      kind: 'number',
      name: 'deviation',
      label: 'Deviation',
      symbol: 'σ',
      help: 'How far off each probability is, typically, before all are made to sum to 1 again.',
      min: 0,
      max: 1,
      step: 0.01,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'flag',
      name: 'keepTop',
      label: 'Keep the class',
      help: 'The likeliest class trades places with whichever the noise has put above it.',
    },
  ],
  check: ({ deviation }) => {
    if (!(deviation >= 0))
      throw new PerturbError('bad-input', `noise: deviation must be at least 0; got ${deviation}`)
  },
  answer: (row, { deviation, keepTop }, draw) => {
    const told = row.map((p) => Math.max(0, p + deviation * gaussian(draw)))
    if (keepTop) {
      const [top, highest] = [indexOfMax(row), indexOfMax(told)]
      ;[told[top], told[highest]] = [told[highest]!, told[top]!]
    }
    const sum = told.reduce((total, value) => total + value, 0)
    return sum > 0 ? told.map((value) => value / sum) : Float32Array.from(row)
  },
}
