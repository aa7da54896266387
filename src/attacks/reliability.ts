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
import type { FlagId, ReliabilityFlag } from './reliability-words.ts'

export { flagIds, flagWords, type FlagId, type ReliabilityFlag } from './reliability-words.ts'

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
