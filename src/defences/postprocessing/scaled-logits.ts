/**
 * Logits multiplied by a constant: no answer changes, but softmax is as good as certain, and the gradient of
 * cross-entropy is too small for a float. This is all that made defensively distilled networks look robust:
 * Papernot et al. 2016, arXiv:1511.04508, as explained by Carlini & Wagner 2017, §VIII, arXiv:1608.04644.
 */
import { PerturbError } from '../../core/errors.ts'
import * as tf from '../../core/tf.ts'
import type { StageEntry } from '../stage.ts'

type ScaledLogitsOptions = { factor: number }

export const entry: StageEntry<ScaledLogitsOptions> = {
  id: 'scaled-logits',
  title: 'Scaled logits',
  summary: 'Logits times a constant: the same answers, but so certain that the loss is flat.',
  paper: { cite: 'Carlini & Wagner 2017', url: 'https://arxiv.org/abs/1608.04644' },
  place: 'output',
  random: false,
  flat: false,
  defaults: { factor: 100 },
  parameters: [
    {
      kind: 'number',
      name: 'factor',
      label: 'Factor',
      help: 'What every logit is multiplied by; 1 changes nothing.',
      min: 1,
      max: 1000,
      step: 1,
      unit: '',
      scale: 'log',
    },
  ],
  forward: (logits, { factor }) => scaled(logits, factor),
  backward: (_, cotangent, { factor }) => scaled(cotangent, factor),
}

function scaled(values: tf.Tensor, factor: number): tf.Tensor {
  if (!(factor > 0 && Number.isFinite(factor)))
    throw new PerturbError('bad-input', `scaled-logits: factor must be positive; got ${factor}`)
  return tf.mul(values, factor)
}
