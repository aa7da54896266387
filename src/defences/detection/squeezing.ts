/**
 * Detection by feature squeezing: an honest picture is read nearly the same after it is squeezed, an adversarial one
 * often is not. The score is the largest L1 distance between the probabilities of the picture and those of its
 * squeezed versions. Xu, Evans, Qi 2018, "Feature Squeezing", §V.B, arXiv:1704.01155.
 *
 * An attacker who knows it makes pictures that survive the squeeze: it raises no bar by itself.
 */
import { PerturbError } from '../../core/errors.ts'
import * as tf from '../../core/tf.ts'
import type { Model } from '../../models/model.ts'
import { defended } from '../defended.ts'
import type { StageSpec } from '../stage.ts'

/** The paper's squeezers for digits: one bit, and a median of 2 × 2. */
export const digitSqueezers: readonly StageSpec[] = [
  { id: 'bit-depth', levels: 2 },
  { id: 'median-smoothing', window: 2 },
]

/** The score of each row of x, from 0 to 2; x is borrowed. Throws as `defended` does. */
export async function squeezingScores(
  model: Model,
  x: tf.Tensor,
  squeezers: readonly StageSpec[] = digitSqueezers,
): Promise<Float32Array> {
  const owned: tf.Tensor[] = []
  try {
    const plain = await model.logits(x)
    owned.push(plain)
    for (const squeezer of squeezers) owned.push(await defended(model, [squeezer], 0).logits(x))
    const scores = tf.tidy(() => {
      const [own, ...squeezed] = owned.map((logits) => tf.softmax(logits))
      const apart = squeezed.map((p) => tf.sum(tf.abs(tf.sub(p, own!)), 1))
      return apart.reduce((most, next) => tf.maximum(most, next), tf.zeros([x.shape[0]!]))
    })
    owned.push(scores)
    return Float32Array.from(await scores.data())
  } finally {
    tf.dispose(owned)
  }
}

/**
 * The smallest score that alarms for at most `falseAlarms` (a share from 0 to 1) of honest pictures; alarm above it.
 * Throws `bad-input` without scores or for a share outside [0, 1].
 */
export function squeezingThreshold(honest: ArrayLike<number>, falseAlarms: number): number {
  if (honest.length === 0 || !(falseAlarms >= 0 && falseAlarms <= 1))
    throw new PerturbError(
      'bad-input',
      `squeezingThreshold: expected scores of honest pictures and a share from 0 to 1; got ${honest.length} and ${falseAlarms}`,
    )
  const sorted = Float64Array.from(honest).sort()
  const allowed = Math.floor(falseAlarms * sorted.length)
  return allowed >= sorted.length ? -Infinity : sorted[sorted.length - 1 - allowed]!
}
