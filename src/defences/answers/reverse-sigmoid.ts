/**
 * Reverse sigmoid: probabilities bent so that one answer belongs to several scores, which leads a copy's training astray.
 * Lee, Edwards, Molloy, Su 2019, "Defending against neural network model stealing attacks using deceptive perturbations",
 * §4, arXiv:1806.00054: ỹ = α(y − β(S(γ S⁻¹(y)) − ½)), with S the sigmoid and α making the sum 1.
 *
 * The likeliest class mostly stays; how sure it is does not, for honest users too, and a thief who takes the classes
 * alone is not led astray at all.
 */
import { PerturbError } from '../../core/errors.ts'
import { exp, log } from '../../core/portable-math.ts'
import type { AnswerEntry } from '../answer.ts'

type ReverseSigmoidOptions = { beta: number; gamma: number }

/** The sigmoid has no inverse at 0 and 1; float32 knows nothing between this and them. */
const edge = 1e-7

export const entry: AnswerEntry<ReverseSigmoidOptions> = {
  id: 'reverse-sigmoid',
  title: 'Reverse sigmoid',
  summary: 'Probabilities are bent back, so that a sure answer and a doubtful one look alike.',
  paper: { cite: 'Lee et al. 2019', url: 'https://arxiv.org/abs/1806.00054' },
  random: false,
  defaults: { beta: 0.95, gamma: 0.2 },
  parameters: [
    {
      kind: 'number',
      name: 'beta',
      label: 'Strength',
      symbol: 'β',
      help: 'How much is taken off; 0 changes nothing.',
      min: 0,
      max: 1,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'gamma',
      label: 'Slope',
      symbol: 'γ',
      help: 'How soon the bend sets in around one half. Small values bend everything, large ones only what is in doubt.',
      min: 0.01,
      max: 2,
      step: 0.01,
      unit: '',
      scale: 'log',
    },
  ],
  check: ({ beta, gamma }) => {
    if (!(beta >= 0 && beta <= 1))
      throw new PerturbError('bad-input', `reverse-sigmoid: beta must lie between 0 and 1; got ${beta}`)
    if (!(gamma > 0))
      throw new PerturbError('bad-input', `reverse-sigmoid: gamma must be positive; got ${gamma}`)
  },
  answer: (row, { beta, gamma }) => {
    const bent = Float64Array.from(row, (p) => {
      const y = Math.min(1 - edge, Math.max(edge, p))
      const logit = log(y) - log(1 - y)
      return Math.max(0, p - beta * (1 / (1 + exp(-gamma * logit)) - 0.5))
    })
    const sum = bent.reduce((total, value) => total + value, 0)
    return Float32Array.from(bent, (value) => (sum > 0 ? value / sum : 1 / row.length))
  },
}
