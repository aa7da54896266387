/**
 * Probabilities handed out where logits are expected. Not a defence but a slip that looks like one: a loss that
 * takes the softmax of a softmax is nearly flat. AutoAttack checks for it: Croce & Hein 2020, arXiv:2003.01690.
 */
import * as tf from '../../core/tf.ts'
import type { StageEntry } from '../stage.ts'

export const entry: StageEntry<Record<string, never>> = {
  id: 'probabilities',
  title: 'Probabilities as logits',
  summary: 'Softmax is taken once too often, so every loss is nearly flat.',
  paper: { cite: 'Croce & Hein 2020', url: 'https://arxiv.org/abs/2003.01690' },
  place: 'output',
  random: false,
  flat: false,
  defaults: {},
  parameters: [],
  forward: (logits) => tf.softmax(logits),
  backward: (logits, cotangent) =>
    tf.tidy(() => {
      const p = tf.softmax(logits)
      return tf.mul(p, tf.sub(cotangent, tf.sum(tf.mul(cotangent, p), -1, true)))
    }),
}
