/**
 * Should an evaluation be believed? Signs that an attack failed for a reason that has nothing to do with
 * robustness. The first four are AutoAttack's own checks (Croce & Hein 2020, arXiv:2003.01690, and its code);
 * all of them go back to the signs of obfuscated gradients in Athalye, Carlini, Wagner 2018, §3,
 * arXiv:1802.00420. Figures, not verdicts: each is measured, and raised beyond its limit.
 */
import type { Labels, WhiteBoxAccess } from '../core/classifier.ts'
import type { LossSpec } from '../core/losses.ts'
import { normRows } from '../core/norms.ts'
import * as tf from '../core/tf.ts'

export const flagIds = [
  'zero-gradient',
  'probabilities',
  'random-output',
  'black-box-wins',
  'no-better-than-random',
] as const
export type FlagId = (typeof flagIds)[number]

export interface ReliabilityFlag {
  id: FlagId
  /** A share from 0 to 1; of what, `flagWords` says. */
  measured: number
  /** Raised when more (for no-better-than-random: less) than this. */
  limit: number
  raised: boolean
}

/** What each flag is called, and what its figure is a share of. */
export const flagWords: Readonly<Record<FlagId, { title: string; figure: string }>> = {
  'zero-gradient': {
    title: 'The gradient is zero',
    figure: 'images whose gradient is exactly 0 in every pixel',
  },
  probabilities: {
    title: 'Probabilities are given as logits',
    figure: 'images whose outputs lie in [0, 1] and sum to 1',
  },
  'random-output': {
    title: 'The output changes by chance',
    figure: 'images with another output when asked again',
  },
  'black-box-wins': {
    title: 'A black-box attack beats the white-box attacks',
    figure: 'images that withstood every gradient and fell to an attack without one',
  },
  'no-better-than-random': {
    title: 'The attack is no better than its random start',
    figure: 'images misread after the attack and not yet at its random starting point',
  },
}

const limits: Readonly<Record<FlagId, number>> = {
  'zero-gradient': 0,
  probabilities: 0.99,
  'random-output': 0,
  'black-box-wins': 0.002,
  'no-better-than-random': 0.02,
}

/** A flag from its figure. An attack that gains nothing over noise is the one that is raised when it is small. */
export function flag(id: FlagId, measured: number): ReliabilityFlag {
  const limit = limits[id]
  const raised = id === 'no-better-than-random' ? measured < limit : measured > limit
  return { id, measured, limit, raised }
}

/** Share of rows whose gradient is 0 in every element, as AutoAttack checks it: of DLR, which scaling cannot flatten. */
export async function zeroGradientShare(
  access: WhiteBoxAccess,
  x: tf.Tensor,
  y: Labels,
  loss: LossSpec,
): Promise<number> {
  const answer = await access.lossAndGradient(x, y, loss)
  try {
    return await shareOf(() => tf.equal(normRows(answer.gradient, 'linf'), 0))
  } finally {
    tf.dispose([answer.loss, answer.gradient])
  }
}

/** Share of rows of logits that are probabilities: between 0 and 1, and 1 in all. */
export function probabilityShare(logits: tf.Tensor): Promise<number> {
  const tolerance = 1e-5
  return shareOf(() => {
    const inside = tf.logicalAnd(
      tf.less(tf.max(logits, 1), 1 + tolerance),
      tf.greater(tf.min(logits, 1), -tolerance),
    )
    return tf.logicalAnd(inside, tf.less(tf.abs(tf.sub(tf.sum(logits, 1), 1)), tolerance))
  })
}

/** Share of rows whose output differs from `logits` when the model is asked again, up to `times` times. */
export async function randomShare(
  access: WhiteBoxAccess,
  x: tf.Tensor,
  logits: tf.Tensor,
  times = 4,
): Promise<number> {
  const changed = new Set<number>()
  for (let i = 0; i < times; i++) {
    const again = await access.logits(x)
    const moved = tf.tidy(() => tf.greater(tf.max(tf.abs(tf.sub(again, logits)), 1), 1e-4))
    try {
      const values = await moved.data()
      values.forEach((yes, row) => yes && changed.add(row))
    } finally {
      tf.dispose([again, moved])
    }
  }
  return changed.size / Math.max(1, x.shape[0]!)
}

async function shareOf(make: () => tf.Tensor): Promise<number> {
  const share = tf.tidy(() => tf.mean(tf.cast(make(), 'float32')))
  try {
    return (await share.data())[0]!
  } finally {
    share.dispose()
  }
}
