/**
 * Adaptive misinformation: whoever asks about what the model knows is told the truth, whoever asks about anything else
 * is misled. Kariyappa, Qureshi 2020, "Defending against model stealing attacks with adaptive misinformation", §4,
 * arXiv:1911.07100. What the model is sure of counts as what it knows; honest doubt is misled too, and that is the price.
 *
 * Differs from the paper: a hard threshold instead of its sigmoid, and probabilities handed out in reverse order (the
 * likeliest class gets the least) instead of those of a second network that was trained to be wrong.
 */
import { PerturbError } from '../../core/errors.ts'
import { indexOfMax } from '../../core/rows.ts'
import type { AnswerEntry } from '../answer.ts'

type MisinformationOptions = { sure: number }

export const entry: AnswerEntry<MisinformationOptions> = {
  id: 'misinformation',
  title: 'Misinformation',
  summary: 'Pictures that the model is unsure of, as of anything it was not made for, are answered wrongly.',
  paper: { cite: 'Kariyappa and Qureshi 2020', url: 'https://arxiv.org/abs/1911.07100' },
  random: false,
  defaults: { sure: 0.9 },
  parameters: [
    {
      kind: 'number',
      name: 'sure',
      label: 'Sure from',
      symbol: 'τ',
      help: 'An answer whose likeliest class has less than this is turned upside down. 0 misleads nobody.',
      min: 0,
      max: 1,
      step: 0.01,
      unit: '',
      scale: 'linear',
    },
  ],
  check: ({ sure }) => {
    if (!(sure >= 0 && sure <= 1))
      throw new PerturbError('bad-input', `misinformation: sure must lie between 0 and 1; got ${sure}`)
  },
  answer: (row, { sure }) => {
    if (row[indexOfMax(row)]! >= sure) return Float32Array.from(row)
    const order = Array.from(row.keys()).sort((a, b) => row[b]! - row[a]! || a - b)
    const told = new Float32Array(row.length)
    order.forEach((k, place) => (told[k] = row[order[row.length - 1 - place]!]!))
    return told
  },
}
