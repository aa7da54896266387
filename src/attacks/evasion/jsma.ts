/**
 * The Jacobian-based saliency map attack: raise two pixels at a time, those that speak most for the target
 * and against all others.
 * Papernot et al. 2016, "The Limitations of Deep Learning in Adversarial Settings", Alg. 2 and 3 (increasing
 * features, eq. 8; decreasing ones, eq. 9), arXiv:1511.07528.
 *
 * Threat model: white-box, two products with the Jacobian a step; budget: the share of pixels changed (L0).
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { isAdversarial, type Criterion } from '../../core/criteria.ts'
import { oneHotRows } from '../../core/rows.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { checkBatch, readOptions } from '../check.ts'

export type JsmaOptions = {
  /** By how much a pixel is raised, or with a negative number lowered, in a step. */
  theta: number
  /** The share of pixels that may be changed, 0 to 1. */
  gamma: number
  /** Which two pixels: the best pair for the target and against the rest (the paper), or the two best for the target (ART). */
  saliency: 'pairs' | 'target'
  /** May a pixel be changed again until it reaches its bound (the paper, ART), or only once (torchattacks)? */
  again: boolean
}

const defaults: JsmaOptions = { theta: 1, gamma: 0.15, saliency: 'pairs', again: true }

/** One row on its way. */
interface Walk {
  row: number
  target: number
  /** Which pixels are still to be had, and which were changed. */
  free: Uint8Array
  touched: Uint8Array
}

/**
 * x: (N, …inputShape) in the victim's bounds; theta in the same units. Without targets each row aims at the
 * class that the victim finds likeliest beside its label. A row stops when it is a success (at once, if it
 * was from the start, its target its own label for one), when no pair speaks for the target, or when gamma of its pixels are changed; the last
 * pair may go one pixel over. Deterministic. Returns a new tensor that the caller disposes; x is untouched.
 * Throws RangeError when theta is 0 or gamma is not in (0, 1], `bad-input` when x or the labels do not fit.
 *
 * Differs from the paper: the gradients are of the logits, since those of a sure softmax vanish; the budget
 * counts changed pixels, where the paper counts steps, which is the same unless a pixel is changed again.
 */
export async function jsma(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<JsmaOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const { theta, gamma, saliency, again } = readOptions(entry, options) as JsmaOptions
  if (theta === 0) throw new RangeError('jsma: theta must not be 0, for no pixel would change; got 0')
  if (!(gamma > 0 && gamma <= 1))
    throw new RangeError(`jsma: gamma must be above 0 and at most 1; got ${gamma}`)
  checkBatch('jsma', victim, x, criterion)
  const pixels = Float32Array.from(await x.data())
  const width = pixels.length / Math.max(1, x.shape[0]!)
  const [low, high] = victim.bounds
  const bound = theta > 0 ? high : low
  const isFree = (value: number) => (theta > 0 ? value < bound : value > bound)
  const rowOf = (row: number) => pixels.subarray(row * width, (row + 1) * width)
  const mostSteps = Math.ceil((width * gamma) / 2) * (again ? Math.ceil((high - low) / Math.abs(theta)) : 1)

  let walks: Walk[] = []
  for (let step = 0; step === 0 || walks.length > 0; step++) {
    throwIfCancelled(run)
    const at = tf.tensor(step === 0 ? pixels : concatenate(walks.map(({ row }) => rowOf(row))), [
      step === 0 ? x.shape[0]! : walks.length,
      ...victim.inputShape,
    ])
    try {
      const scores = await read(victim.logits(at))
      const scoresOf = (i: number) => scores.subarray(i * victim.numClasses, (i + 1) * victim.numClasses)
      if (step === 0)
        walks = Array.from({ length: x.shape[0]! }, (_, row) => ({
          row,
          target: aim(criterion, row, scoresOf(row)),
          free: Uint8Array.from(rowOf(row), (value) => Number(isFree(value))),
          touched: new Uint8Array(width),
        }))
      const targets = walks.map(({ target }) => target)
      const forTarget = await read(pull(victim, at, targets, 'target'))
      const againstRest = saliency === 'pairs' ? await read(pull(victim, at, targets, 'rest')) : undefined
      walks = walks.filter((walk, i) => {
        if (isAdversarial(criterion, walk.row, indexOfMax(scoresOf(i)))) return false
        if (count(walk.touched) >= gamma * width) return false
        const part = (values: Float32Array) =>
          values.subarray(i * width, (i + 1) * width).map((value) => value * Math.sign(theta))
        const pair = againstRest
          ? bestPair(part(forTarget), part(againstRest), walk.free)
          : bestTwo(part(forTarget), walk.free)
        const row = rowOf(walk.row)
        for (const p of pair) {
          row[p] = Math.min(high, Math.max(low, row[p]! + theta))
          walk.touched[p] = 1
          if (!again || !isFree(row[p]!)) walk.free[p] = 0
        }
        return pair.length > 0
      })
    } finally {
      at.dispose()
    }
    run.onStep?.(Math.min(step + 1, mostSteps), mostSteps)
  }
  return { adversarial: tf.tensor(pixels, x.shape), trace: [] }
}

/** The derivative by x of the target's logit, or of the sum of all others. */
async function pull(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  targets: number[],
  of: 'target' | 'rest',
): Promise<tf.Tensor> {
  const cotangent = tf.tidy(() => {
    const target = oneHotRows(targets, victim.numClasses)
    return of === 'target' ? target : tf.sub(1, target)
  })
  try {
    return await victim.vjp(x, cotangent)
  } finally {
    cotangent.dispose()
  }
}

/** The free pair (p, q) with the largest α·|β|, where α, its sum for the target, is positive and β, against it, negative. */
export function bestPair(alpha: Float32Array, beta: Float32Array, free: Uint8Array): number[] {
  const places = [...free.keys()].filter((p) => free[p])
  let best: number[] = []
  let most = 0
  for (let i = 0; i < places.length; i++) {
    const p = places[i]!
    const [alphaP, betaP] = [alpha[p]!, beta[p]!]
    for (let j = i + 1; j < places.length; j++) {
      const q = places[j]!
      const [a, b] = [alphaP + alpha[q]!, betaP + beta[q]!]
      if (a > 0 && b < 0 && -a * b > most) [most, best] = [-a * b, [p, q]]
    }
  }
  return best
}

/** The two free pixels that speak most for the target, or against it least; none where no pixel speaks at all. */
function bestTwo(alpha: Float32Array, free: Uint8Array): number[] {
  const places = [...free.keys()].filter((p) => free[p])
  if (places.every((p) => alpha[p] === 0)) return []
  return places.sort((p, q) => alpha[q]! - alpha[p]! || p - q).slice(0, 2)
}

/** The class to aim at: the row's target, or the likeliest beside its label. */
function aim(criterion: Criterion, row: number, scores: Float32Array): number {
  if (criterion.kind === 'targeted') return criterion.targets[row]!
  const others = scores.slice()
  others[criterion.labels[row]!] = -Infinity
  return indexOfMax(others)
}

async function read(promise: Promise<tf.Tensor>): Promise<Float32Array> {
  const tensor = await promise
  try {
    return Float32Array.from(await tensor.data())
  } finally {
    tensor.dispose()
  }
}

const indexOfMax = (scores: Float32Array) =>
  scores.reduce((best, score, k) => (score > scores[best]! ? k : best), 0)
const count = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0)

function concatenate(parts: Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((size, part) => size + part.length, 0))
  let from = 0
  for (const part of parts) {
    all.set(part, from)
    from += part.length
  }
  return all
}

export const entry: EvasionEntry = {
  id: 'jsma',
  title: 'Saliency map attack',
  summary: 'Raises two pixels at a time: those that speak most for the target and against all others.',
  family: 'evasion',
  access: 'white-box',
  targeted: true,
  paper: { cite: 'Papernot et al. 2016', url: 'https://arxiv.org/abs/1511.07528' },
  defaults,
  parameters: [
    {
      kind: 'number',
      name: 'theta',
      label: 'Change of a pixel',
      symbol: 'θ',
      help: 'By how much a pixel is raised in a step; below 0, lowered.',
      min: -1,
      max: 1,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'gamma',
      label: 'Pixels that may change',
      symbol: 'γ',
      help: 'The share of all pixels that the attack may touch.',
      min: 0.01,
      max: 1,
      step: 0.01,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'choice',
      name: 'saliency',
      label: 'Which two pixels',
      help: 'The best pair for the target and against the rest, as in the paper, or the two best for the target alone.',
      choices: [
        { value: 'pairs', label: 'the best pair' },
        { value: 'target', label: 'the two best' },
      ],
    },
    {
      kind: 'flag',
      name: 'again',
      label: 'Change a pixel again',
      help: 'May a pixel be changed in several steps until it is black or white?',
    },
  ],
  run: jsma,
}
