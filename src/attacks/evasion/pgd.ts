/**
 * Projected gradient descent: many small steps along the loss gradient, each pulled back into the ball
 * around x. Madry, Makelov, Schmidt, Tsipras, Vladu 2018, "Towards Deep Learning Models Resistant to
 * Adversarial Attacks", §2.1, arXiv:1706.06083. Without random start: the basic iterative method (Kurakin,
 * Goodfellow, Bengio 2017, arXiv:1607.02533).
 *
 * Threat model: white-box, one gradient a step; budget epsilon in L∞ (the paper's) or L2.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { ascentSign, criterionLabels, type Criterion } from '../../core/criteria.ts'
import { lossRows } from '../../core/losses.ts'
import { clipToBounds, normaliseRows, shrinkToL2Ball } from '../../core/norms.ts'
import { createRng, type Rng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext, type TraceStep } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { aboveZero, atLeastZero, checkBatch, readOptions, wholeNumber } from '../check.ts'
import { epsilonKnob, normKnob, randomStartKnob, restartsKnob, stepSizeKnob, stepsKnob } from '../knobs.ts'

export type PgdOptions = {
  /** Radius of the ball around x, in the same units as x. */
  epsilon: number
  /** What length means, of the ball and of a step: the largest change of one element, or the Euclidean length. */
  norm: 'linf' | 'l2'
  steps: number
  /** Length of one step, in the same units as x. */
  stepSize: number
  /** Begin at a random point of the ball instead of at x. */
  randomStart: boolean
  /** Further runs, each from a random point; of all runs a row keeps the one that went farthest. */
  restarts: number
}

const defaults: PgdOptions = {
  epsilon: 0.25,
  norm: 'linf',
  steps: 20,
  stepSize: 0.025,
  randomStart: false,
  restarts: 0,
}

/**
 * x: (N, …inputShape) in the victim's bounds; epsilon and stepSize in the same units. Climbs the
 * cross-entropy of the true labels, or descends that of the targets. Each step is projected on the ball and
 * *then* clipped to the bounds, as in foolbox and torchattacks; the last iterate is returned, also when an
 * earlier one was misread; an image that is misread already, or read as its target, is pushed further. A step
 * longer than the ball does no harm; with epsilon 0 x comes back as it is. The trace holds the mean loss before each step. A restart costs two
 * forward passes more. Returns a new tensor that the caller disposes; x is untouched.
 * Throws RangeError when epsilon is negative, stepSize is not positive, or steps (from 1) and restarts
 * (from 0) are not whole numbers; `bad-input` when x or the labels do not fit.
 */
export async function pgd(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<PgdOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const settings = readOptions(entry, options) as PgdOptions
  atLeastZero('pgd', 'epsilon', settings.epsilon)
  aboveZero('pgd', 'stepSize', settings.stepSize)
  wholeNumber('pgd', 'steps', settings.steps, 1)
  wholeNumber('pgd', 'restarts', settings.restarts, 0)
  checkBatch('pgd', victim, x, criterion)

  const { steps, restarts } = settings
  const losses: tf.Tensor[] = []
  let best: tf.Tensor | undefined
  try {
    for (let restart = 0; restart <= restarts; restart++) {
      const random = settings.randomStart || restart > 0
      const start = random
        ? randomPoint(victim, x, settings, createRng(run.seed, `pgd ${restart}`))
        : tf.clone(x)
      const found = await climb(victim, x, start, criterion, settings, run, (loss, step) => {
        if (restart === 0) losses.push(tf.mean(loss))
        run.onStep?.(restart * steps + step + 1, (restarts + 1) * steps)
      })
      best = best ? await farther(victim, best, found, criterion) : found
    }
    return { adversarial: best!, trace: await traceOf(losses) }
  } catch (error) {
    tf.dispose(best ?? [])
    throw error
  } finally {
    tf.dispose(losses)
  }
}

/** The paper's algorithm: x ← project(x + stepSize · direction). Takes `start` over; the result is the caller's. */
async function climb(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  start: tf.Tensor,
  criterion: Criterion,
  { epsilon, norm, steps, stepSize }: PgdOptions,
  run: RunContext,
  onStep: (lossBefore: tf.Tensor, step: number) => void,
): Promise<tf.Tensor> {
  let adversarial = start
  try {
    for (let step = 0; step < steps; step++) {
      throwIfCancelled(run)
      const { loss, gradient } = await victim.lossAndGradient(adversarial, criterionLabels(criterion))
      try {
        const next = tf.tidy(() => {
          const direction = norm === 'linf' ? tf.sign(gradient) : normaliseRows(gradient, 'l2')
          const moved = tf.add(adversarial, tf.mul(direction, ascentSign(criterion) * stepSize))
          const delta = tf.sub(moved, x)
          const inside =
            norm === 'linf' ? tf.clipByValue(delta, -epsilon, epsilon) : shrinkToL2Ball(delta, epsilon)
          return clipToBounds(tf.add(x, inside), victim.bounds)
        })
        tf.dispose(adversarial)
        adversarial = next
        onStep(loss, step)
      } finally {
        tf.dispose([loss, gradient])
      }
    }
    return adversarial
  } catch (error) {
    tf.dispose(adversarial)
    throw error
  }
}

/** Uniform in the ball around each row of x, then clipped to the bounds. */
function randomPoint(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  { epsilon, norm }: PgdOptions,
  rng: Rng,
): tf.Tensor {
  const [rows = 0, ...inner] = x.shape
  const draw = norm === 'linf' ? () => 2 * rng.uniform() - 1 : () => rng.normal()
  const values = Float32Array.from({ length: x.size }, draw)
  // In d dimensions the share of the ball within radius r is r^d.
  const radii = Float32Array.from({ length: rows }, () => rng.uniform() ** (rows / x.size))
  return tf.tidy(() => {
    const noise = tf.tensor(values, x.shape)
    const inBall =
      norm === 'linf'
        ? noise
        : tf.mul(normaliseRows(noise, 'l2'), tf.reshape(radii, [rows, ...inner.map(() => 1)]))
    return clipToBounds(tf.add(x, tf.mul(inBall, epsilon)), victim.bounds)
  })
}

/**
 * Row by row the one with the larger margin (towards a target: the smaller), so that a row that is misread
 * always beats one that is not; of equals, the earlier. Takes both over.
 */
async function farther(
  victim: WhiteBoxAccess,
  earlier: tf.Tensor,
  later: tf.Tensor,
  criterion: Criterion,
): Promise<tf.Tensor> {
  const logits: tf.Tensor[] = []
  try {
    for (const adversarial of [earlier, later]) logits.push(await victim.logits(adversarial))
    return tf.tidy(() => {
      const [before, after] = logits.map((z) =>
        lossRows(z as tf.Tensor2D, criterionLabels(criterion), { kind: 'margin' }),
      ) as [tf.Tensor, tf.Tensor]
      const better = tf.greater(tf.mul(tf.sub(after, before), ascentSign(criterion)), 0)
      return tf.where(tf.reshape(better, [better.size, ...later.shape.slice(1).map(() => 1)]), later, earlier)
    })
  } finally {
    tf.dispose([earlier, later, ...logits])
  }
}

/** Read back at the end, all at once: a read at every step would hold a GPU up. */
async function traceOf(losses: tf.Tensor[]): Promise<TraceStep[]> {
  const all = tf.stack(losses)
  try {
    return Array.from(await all.data(), (loss, step) => ({ step, values: { loss } }))
  } finally {
    all.dispose()
  }
}

export const entry: EvasionEntry = {
  id: 'pgd',
  title: 'Projected gradient descent',
  summary:
    'Take many small steps that raise the loss, and after each return to the nearest point within the budget.',
  family: 'evasion',
  access: 'white-box',
  targeted: true,
  paper: { cite: 'Madry et al. 2018', url: 'https://arxiv.org/abs/1706.06083' },
  defaults,
  parameters: [epsilonKnob(), normKnob(), stepsKnob(), stepSizeKnob(), randomStartKnob(), restartsKnob()],
  run: pgd,
}
