/**
 * STRIP: lay other pictures over an input and see whether the model changes its mind. An honest input is read
 * now so, now so; one with a trigger stays with the trigger's class, whatever lies over it, and the entropy
 * of its answers is low. Gao, Xu, Wang, Chen, Ranasinghe, Nepal 2019, "STRIP: A Defence Against Trojan
 * Attacks on Deep Neural Networks", §4, arXiv:1902.06531.
 *
 * Useless by design where the backdoor is for one source class only (their §6.5), and where the trigger fades
 * in the blend.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { PerturbError } from '../../core/errors.ts'
import { nextTask } from '../../core/platform.ts'
import { exp, log } from '../../core/portable-math.ts'
import { createRng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import { normalQuantile } from '../../core/statistics.ts'
import * as tf from '../../core/tf.ts'

export interface StripOptions {
  /** Pictures laid over each input; the paper's N, there 100. */
  overlays: number
  /** add: x + overlay, clipped (the paper's). mix: half and half, which fades the trigger. */
  blend: 'add' | 'mix'
}

export const stripDefaults: StripOptions = { overlays: 32, blend: 'add' }

/** Pictures read at once. */
const rowsAtOnce = 512

/**
 * The mean entropy, in bits, of the answers to each input under `overlays` pictures drawn from `clean` (rows
 * of x's shape, from trusted data); each input has a draw of its own. From 0 to log₂ of the number of
 * classes; the lower, the more suspicious. inputs and clean: rows × size numbers. Throws `bad-input` when
 * they are no whole rows or hold numbers that are not finite, without a clean row, and for logits that are
 * not finite; RangeError unless overlays is a whole number of at least 1.
 */
export async function stripEntropies(
  model: Pick<WhiteBoxAccess, 'logits' | 'inputShape' | 'numClasses' | 'bounds'>,
  inputs: Float32Array,
  clean: Float32Array,
  options: Partial<StripOptions>,
  run: RunContext,
): Promise<Float64Array> {
  const { overlays, blend } = { ...stripDefaults, ...options }
  if (!(Number.isInteger(overlays) && overlays >= 1))
    throw new RangeError(`strip: overlays must be a whole number of at least 1; got ${overlays}`)
  const size = model.inputShape.reduce((product, n) => product * n, 1)
  for (const [name, values] of [
    ['inputs', inputs],
    ['clean', clean],
  ] as const)
    if (values.length % size !== 0 || !values.every(Number.isFinite))
      throw new PerturbError(
        'bad-input',
        `strip: ${name} must be rows of ${size} finite numbers; got ${values.length}${values.every(Number.isFinite) ? '' : ', some not finite'}`,
      )
  if (clean.length === 0)
    throw new PerturbError('bad-input', 'strip: expected at least one clean picture to lay over; got none')

  const rows = inputs.length / size
  const entropies = new Float64Array(rows)
  const rng = createRng(run.seed, 'strip')
  const [low, high] = model.bounds
  const perBatch = Math.max(1, Math.floor(rowsAtOnce / overlays))
  for (let from = 0; from < rows; from += perBatch) {
    await nextTask()
    throwIfCancelled(run)
    const count = Math.min(perBatch, rows - from)
    const laid = new Float32Array(count * overlays * size)
    for (let i = 0; i < count * overlays; i++) {
      const over = rng.below(clean.length / size) * size
      const below = (from + Math.floor(i / overlays)) * size
      for (let k = 0; k < size; k++) {
        const [one, other] = [inputs[below + k]!, clean[over + k]!]
        const mixed = blend === 'add' ? one + other : (one + other) / 2
        laid[i * size + k] = Math.max(low, Math.min(high, mixed))
      }
    }
    const answers = await logitsOf(model, laid, count * overlays)
    for (let i = 0; i < count; i++) {
      let sum = 0
      for (let n = 0; n < overlays; n++)
        sum += entropy(answers, (i * overlays + n) * model.numClasses, model.numClasses)
      entropies[from + i] = sum / overlays
    }
    run.onStep?.(from + count, rows)
  }
  return entropies
}

async function logitsOf(
  model: Pick<WhiteBoxAccess, 'logits' | 'inputShape'>,
  pixels: Float32Array,
  rows: number,
): Promise<ArrayLike<number>> {
  const owned = [tf.tensor(pixels, [rows, ...model.inputShape], 'float32')]
  try {
    owned.push(await model.logits(owned[0]!))
    return await owned[1]!.data()
  } finally {
    tf.dispose(owned)
  }
}

/** Shannon's entropy of softmax(z), in bits. */
function entropy(logits: ArrayLike<number>, from: number, classes: number): number {
  let highest = -Infinity
  for (let k = 0; k < classes; k++) {
    if (!Number.isFinite(logits[from + k]))
      throw new PerturbError('bad-input', "strip: logits are not finite; the model's training has diverged")
    highest = Math.max(highest, logits[from + k]!)
  }
  // H = log Σe^z′ − Σ p·z′ with z′ = z − max: no logarithm of a p that is 0.
  let [sum, weighted] = [0, 0]
  for (let k = 0; k < classes; k++) {
    const shifted = logits[from + k]! - highest
    const power = exp(shifted)
    sum += power
    weighted += power * shifted
  }
  return Math.max(0, (log(sum) - weighted / sum) / Math.LN2)
}

/**
 * The entropy below which an input is turned away: the paper fits a normal distribution to the entropies of
 * clean inputs and takes its quantile at the share of false rejections that is allowed. It may lie below 0,
 * and then nothing is turned away. Throws `bad-input` for fewer than two entropies, RangeError unless 0 <
 * falseRejections < 1.
 */
export function stripThreshold(cleanEntropies: ArrayLike<number>, falseRejections = 0.01): number {
  const count = cleanEntropies.length
  if (count < 2)
    throw new PerturbError('bad-input', `stripThreshold: expected at least two entropies; got ${count}`)
  if (!(falseRejections > 0 && falseRejections < 1))
    throw new RangeError(`stripThreshold: falseRejections must lie between 0 and 1; got ${falseRejections}`)
  let mean = 0
  for (let i = 0; i < count; i++) mean += cleanEntropies[i]! / count
  let squares = 0
  for (let i = 0; i < count; i++) squares += (cleanEntropies[i]! - mean) ** 2
  return mean + Math.sqrt(squares / (count - 1)) * normalQuantile(falseRejections)
}
