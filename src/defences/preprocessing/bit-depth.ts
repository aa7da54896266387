/**
 * Feature squeezing by bit depth: every pixel is rounded to one of a few levels, so that a change smaller than
 * half a level disappears. Xu, Evans, Qi 2018, "Feature Squeezing: Detecting Adversarial Examples in Deep
 * Neural Networks", §IV.A, arXiv:1704.01155. Differs from the paper: any number of levels, not only powers of
 * two (b bits are 2^b levels). The levels lie in [0, 1].
 */
import { PerturbError } from '../../core/errors.ts'
import * as tf from '../../core/tf.ts'
import type { StageEntry } from '../stage.ts'

type BitDepthOptions = { levels: number }

export const entry: StageEntry<BitDepthOptions> = {
  id: 'bit-depth',
  title: 'Rounding to few levels',
  summary:
    'Every pixel is rounded to the nearest of a few levels: small changes disappear, and so does the gradient.',
  paper: { cite: 'Xu et al. 2018', url: 'https://arxiv.org/abs/1704.01155' },
  place: 'input',
  random: false,
  flat: true,
  defaults: { levels: 4 },
  parameters: [
    {
      kind: 'number',
      name: 'levels',
      label: 'Levels',
      help: 'How many grey levels are left, from 2 (ink or paper) to 256.',
      min: 2,
      max: 256,
      step: 1,
      unit: '',
      scale: 'log',
    },
  ],
  forward(x, { levels }) {
    if (!(Number.isInteger(levels) && levels >= 2))
      throw new PerturbError(
        'bad-input',
        `bit-depth: levels must be a whole number of at least 2; got ${levels}`,
      )
    const steps = levels - 1
    // tf.round goes to the even neighbour at a tie; this goes up, on every backend.
    return tf.tidy(() => tf.div(tf.floor(tf.add(tf.mul(x, steps), 0.5)), steps))
  },
  backward: (x) => tf.zerosLike(x),
}
