/**
 * Adversarial training in its first form: part of every batch is replaced by one-step (FGSM) examples
 * made against the weights of that moment. Goodfellow et al. 2015, §6, arXiv:1412.6572; the share of
 * clean images kept in a batch follows Kurakin et al. 2017, §3, arXiv:1611.01236.
 *
 * It holds against the step it was trained on. Small iterated steps break it again (Madry et al. 2018).
 */
import { fgsm } from '../../attacks/evasion/fgsm.ts'
import { PerturbError } from '../../core/errors.ts'
import * as tf from '../../core/tf.ts'
import { epsilonKnob, rampKnob } from './knobs.ts'
import type { TrainingRecipe } from './recipe.ts'

export const entry: TrainingRecipe = {
  id: 'fgsm-training',
  title: 'FGSM training',
  summary: 'Replace part of every batch by one-step examples, made against the weights of that moment.',
  paper: { cite: 'Goodfellow et al. 2015', url: 'https://arxiv.org/abs/1412.6572' },
  defaults: { epsilon: 0.15, ramp: 0, share: 0.5 },
  parameters: [
    epsilonKnob(),
    rampKnob(),
    {
      kind: 'number',
      name: 'share',
      label: 'Attacked share of a batch',
      help: 'The rest of each batch stays as it is, so that clean images are not forgotten.',
      min: 0,
      max: 1,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
  ],
  check({ share }) {
    if (!(share! >= 0 && share! <= 1))
      throw new PerturbError('bad-input', `fgsm-training: share must be from 0 to 1; got ${share}`)
  },
  /** The first rows of the batch (they are shuffled) become examples. */
  async prepare(model, x, y, { epsilon, share }, run) {
    const rows = x.shape[0]!
    const attacked = Math.round(share! * rows)
    if (attacked === 0) return x
    const labels = Array.prototype.slice.call(y, 0, attacked) as number[]
    const tail = x.shape.slice(1)
    const at = (row: number) => [row, ...tail.map(() => 0)]
    const head = tf.slice(x, at(0), [attacked, ...tail])
    try {
      const { adversarial } = await fgsm(
        model,
        head,
        { kind: 'misclassification', labels },
        { epsilon, norm: 'linf' },
        run,
      )
      if (attacked === rows) return adversarial
      try {
        return tf.tidy(() => tf.concat([adversarial, tf.slice(x, at(attacked), [rows - attacked, ...tail])]))
      } finally {
        adversarial.dispose()
      }
    } finally {
      head.dispose()
    }
  },
}
