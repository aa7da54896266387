/**
 * Auto-PGD: projected gradient descent that chooses its own step size, halving it where the loss stops to rise
 * and going on from the best point. Croce & Hein 2020, "Reliable evaluation of adversarial robustness with an
 * ensemble of diverse parameter-free attacks", Alg. 1 and §3–4, arXiv:2003.01690.
 *
 * Threat model: white-box, one gradient a step; budget epsilon in L∞ or L2.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { ascentSign, criterionFor, criterionLabels, type Criterion } from '../../core/criteria.ts'
import { PerturbError } from '../../core/errors.ts'
import { Held } from '../../core/held.ts'
import type { LossSpec } from '../../core/losses.ts'
import { clipToBounds, normaliseRows, shrinkToL2Ball } from '../../core/norms.ts'
import { createRng, type Rng } from '../../core/rng.ts'
import {
  adversarialRows,
  likeliestOthers,
  perRow,
  pickRows,
  putRows,
  readRows,
  openRows,
  rowsWhere,
} from '../../core/rows.ts'
import { throwIfCancelled, type RunContext, type TraceStep } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { atLeastZero, checkBatch, readOptions, wholeNumber } from '../check.ts'
import { epsilonKnob, normKnob, restartsKnob, stepsKnob } from '../knobs.ts'

export type ApgdOptions = {
  /** Radius of the ball around x, in the same units as x. */
  epsilon: number
  norm: 'linf' | 'l2'
  steps: number
  /** Further runs from other random points, for the rows that are not misread yet. */
  restarts: number
  /**
   * What is climbed. DLR does not change when all logits are multiplied, so it stays steep where cross-entropy
   * is flat. Its targeted form aims each run at one class: the first at the runner-up, a restart at the next.
   */
  loss: 'cross-entropy' | 'dlr' | 'dlr-targeted'
}

const defaults: ApgdOptions = { epsilon: 0.25, norm: 'linf', steps: 100, restarts: 0, loss: 'cross-entropy' }

/** Share of the steps since the last checkpoint that must have raised the loss (§3, condition 1). */
const rho = 0.75
/** How much of a step is the new direction; the rest is the last move (Alg. 1, line 7). */
const alpha = 0.75

/**
 * x: (N, …inputShape) in the victim's bounds; epsilon in the same units. Each run begins at a random point on
 * the edge of the ball, with a step of 2 · epsilon. A row that is misread keeps the last misread iterate, and a
 * row that no run gets misread is given back as it came, and so is every row with epsilon 0. A row that is a
 * success from the start, misread or read as its target, is left alone.
 * Towards targets the loss of the target is descended. Returns a new tensor that the caller disposes; x is
 * untouched. The trace holds the mean of the best losses after each step of the first run.
 * Throws RangeError when epsilon is negative or counts are not whole; `bad-input` when x or the labels do not
 * fit, for DLR with fewer than 3 classes (targeted: 4), and for targeted DLR towards targets.
 *
 * Differs from the paper's code: a checkpoint compares with the loss at the start, not with 0; steps that raise
 * the loss must be fewer than ρ of all, as in the paper, not at most; a run ends when all rows are misread.
 */
export async function apgd(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<ApgdOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const settings = readOptions(entry, options) as ApgdOptions
  atLeastZero('apgd', 'epsilon', settings.epsilon)
  wholeNumber('apgd', 'steps', settings.steps, 1)
  wholeNumber('apgd', 'restarts', settings.restarts, 0)
  checkBatch('apgd', victim, x, criterion)
  checkLoss(settings.loss, victim.numClasses, criterion)
  throwIfCancelled(run)

  const labels = Array.from(criterionLabels(criterion))
  const runs = settings.restarts + 1
  let trace: TraceStep[] = []
  const first = await victim.logits(x)
  let result: tf.Tensor = tf.clone(x)
  try {
    const ranked = settings.loss === 'dlr-targeted' ? await rivalsOf(first, labels) : undefined
    let open = await openRows(first, criterion)
    for (let i = 0; i < runs && open.length > 0; i++) {
      const part = criterionFor(criterion, open)
      const rows = tf.gather(x, open)
      try {
        const loss = lossFor(settings.loss, ranked && open.map((row) => rivalOf(ranked[row]!, i)))
        const found = await climb(victim, rows, part, loss, settings, createRng(run.seed, `apgd ${i}`), run, {
          onStep: (step) => run.onStep?.(i * settings.steps + step, runs * settings.steps),
          onTrace: (steps) => (trace = i === 0 ? steps : trace),
        })
        const kept: tf.Tensor = result
        result = putRows(kept, found.adversarial, open)
        tf.dispose([kept, found.adversarial])
        open = open.filter((_, at) => !found.misread[at])
      } finally {
        rows.dispose()
      }
    }
    run.onStep?.(runs * settings.steps, runs * settings.steps)
    return { adversarial: result, trace }
  } catch (error) {
    result.dispose()
    throw error
  } finally {
    first.dispose()
  }
}

interface Listener {
  onStep(step: number): void
  onTrace(trace: TraceStep[]): void
}

/** Alg. 1 on rows that are all still read rightly. Rows that stay so are returned as they came. */
async function climb(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  loss: LossSpec,
  { epsilon, norm, steps }: ApgdOptions,
  rng: Rng,
  run: RunContext,
  listener: Listener,
): Promise<{ adversarial: tf.Tensor; misread: boolean[] }> {
  const labels = criterionLabels(criterion)
  const sign = ascentSign(criterion)
  const inBall = (point: tf.Tensor) => intoBall(point, x, norm, epsilon, victim.bounds)
  /** Loss (higher is better for us), its gradient and which rows are a success, at a point. */
  const look = async (point: tf.Tensor) => {
    const { loss: value, gradient } = await victim.lossAndGradient(point, labels, loss)
    try {
      const logits = await victim.logits(point)
      const seen = { value: tf.mul(value, sign), gradient: tf.mul(gradient, sign) }
      const misread = adversarialRows(logits, criterion)
      logits.dispose()
      return { ...seen, misread }
    } finally {
      tf.dispose([value, gradient])
    }
  }
  const best: tf.Tensor[] = []
  const checkpoints = checkpointsOf(steps)
  let lastCheck = 0

  const start = tf.tidy(() => inBall(tf.add(x, randomEdge(x, norm, epsilon, rng))))
  const seen = await look(start).catch((error: unknown) => {
    start.dispose()
    throw error
  })
  const state = new Held(() => ({
    point: tf.clone(start),
    previous: tf.clone(start),
    gradient: tf.clone(seen.gradient),
    loss: tf.clone(seen.value),
    bestPoint: tf.clone(start),
    bestGradient: tf.clone(seen.gradient),
    bestLoss: tf.clone(seen.value),
    found: pickRows(seen.misread, start, x),
    isFound: tf.cast(seen.misread, 'bool'),
    stepSize: tf.fill([x.shape[0]!], 2 * epsilon),
    /** Since the last checkpoint: how often the loss rose, what was best then, and was the step halved there? */
    rises: tf.zeros([x.shape[0]!]),
    bestAtCheck: tf.clone(seen.value),
    halvedAtCheck: tf.ones([x.shape[0]!], 'bool'),
  }))
  tf.dispose([start, ...Object.values(seen)])
  try {
    for (let step = 0; step < steps; step++) {
      throwIfCancelled(run)
      state.step(({ point, previous, gradient, stepSize }) => {
        const direction = norm === 'linf' ? tf.sign(gradient) : normaliseRows(gradient, 'l2')
        const ahead = inBall(tf.add(point, tf.mul(direction, perRow(stepSize, x))))
        const share = step === 0 ? 1 : alpha
        const move = tf.add(tf.mul(tf.sub(ahead, point), share), tf.mul(tf.sub(point, previous), 1 - share))
        return { point: inBall(tf.add(point, move)), previous: tf.clone(point) }
      })
      const now = await look(state.now.point)
      state.step((was) => {
        const isBest = tf.greater(now.value, was.bestLoss)
        return {
          gradient: tf.clone(now.gradient),
          loss: tf.clone(now.value),
          rises: tf.add(was.rises, tf.cast(tf.greater(now.value, was.loss), 'float32')),
          bestPoint: pickRows(isBest, was.point, was.bestPoint),
          bestGradient: pickRows(isBest, now.gradient, was.bestGradient),
          bestLoss: tf.maximum(now.value, was.bestLoss),
          found: pickRows(now.misread, was.point, was.found),
          isFound: tf.logicalOr(was.isFound, now.misread),
        }
      }, Object.values(now))
      best.push(tf.mean(state.now.bestLoss))
      listener.onStep(step + 1)
      if (!checkpoints.has(step + 1)) continue
      const since = step + 1 - lastCheck
      lastCheck = step + 1
      state.step((was) => {
        const seldomRose = tf.less(was.rises, rho * since)
        const stands = tf.logicalAnd(
          tf.logicalNot(was.halvedAtCheck),
          tf.greaterEqual(was.bestAtCheck, was.bestLoss),
        )
        const halve = tf.logicalOr(seldomRose, stands)
        return {
          stepSize: tf.where(halve, tf.div(was.stepSize, 2), was.stepSize),
          point: pickRows(halve, was.bestPoint, was.point),
          gradient: pickRows(halve, was.bestGradient, was.gradient),
          rises: tf.zerosLike(was.rises),
          bestAtCheck: tf.clone(was.bestLoss),
          halvedAtCheck: halve,
        }
      })
      // The one place that reads back: seldom enough not to hold a GPU up.
      if ((await rowsWhere(state.now.isFound)).length === x.shape[0]) break
    }
    listener.onTrace(await traceOf(best, sign))
    const misread = Array.from(await state.now.isFound.data(), Boolean)
    return { adversarial: state.take('found'), misread }
  } finally {
    tf.dispose(best)
    state.dispose()
  }
}

/** After which steps the step size is looked at: §3, p₀ = 0, p₁ = 0.22, each gap 0.03 shorter, at least 0.06. */
export function checkpointsOf(steps: number): Set<number> {
  const part = (share: number) => Math.max(1, Math.floor(share * steps))
  const checkpoints = new Set<number>()
  let gap = part(0.22)
  for (let at = gap; at <= steps; at += gap) {
    checkpoints.add(at)
    gap = Math.max(gap - part(0.03), part(0.06))
  }
  return checkpoints
}

function intoBall(
  point: tf.Tensor,
  x: tf.Tensor,
  norm: ApgdOptions['norm'],
  epsilon: number,
  bounds: readonly [number, number],
): tf.Tensor {
  const delta = tf.sub(point, x)
  const inside = norm === 'linf' ? tf.clipByValue(delta, -epsilon, epsilon) : shrinkToL2Ball(delta, epsilon)
  return clipToBounds(tf.add(x, inside), bounds)
}

/** A random change of length epsilon: as in the paper's code, scaled until it touches the edge of the ball. */
export function randomEdge(x: tf.Tensor, norm: ApgdOptions['norm'], epsilon: number, rng: Rng): tf.Tensor {
  const draw = norm === 'linf' ? () => 2 * rng.uniform() - 1 : () => rng.normal()
  const noise = tf.tensor(Float32Array.from({ length: x.size }, draw), x.shape)
  return tf.mul(normaliseRows(noise, norm), epsilon)
}

function checkLoss(loss: ApgdOptions['loss'], classes: number, criterion: Criterion): void {
  const least = { 'cross-entropy': 2, dlr: 3, 'dlr-targeted': 4 }[loss]
  if (classes < least)
    throw new PerturbError(
      'bad-input',
      `apgd: the loss ${loss} needs at least ${least} classes, and the victim has ${classes}; take cross-entropy`,
    )
  if (loss === 'dlr-targeted' && criterion.kind === 'targeted')
    throw new PerturbError(
      'bad-input',
      'apgd: dlr-targeted aims at every class in turn to lead away from a label; towards a target take dlr or cross-entropy',
    )
}

function lossFor(loss: ApgdOptions['loss'], targets: number[] | undefined): LossSpec {
  if (loss === 'cross-entropy') return { kind: 'cross-entropy' }
  return targets ? { kind: 'dlr', targets } : { kind: 'dlr' }
}

/** For each row the classes other than its label, the likeliest first. */
async function rivalsOf(logits: tf.Tensor, labels: number[]): Promise<number[][]> {
  const scores = await readRows(logits)
  return scores.map((row, i) => likeliestOthers(row, labels[i]!, row.length - 1))
}

const rivalOf = (ranked: number[], restart: number) => ranked[restart % ranked.length]!

async function traceOf(best: tf.Tensor[], sign: number): Promise<TraceStep[]> {
  const all = tf.stack(best)
  try {
    return Array.from(await all.data(), (loss, step) => ({ step: step + 1, values: { loss: sign * loss } }))
  } finally {
    all.dispose()
  }
}

export const entry: EvasionEntry = {
  id: 'apgd',
  title: 'Auto-PGD',
  summary:
    'Descent that sets its own pace: it halves its step where the loss stalls and returns to the best point.',
  family: 'evasion',
  access: 'white-box',
  targeted: true,
  paper: { cite: 'Croce & Hein 2020', url: 'https://arxiv.org/abs/2003.01690' },
  defaults,
  parameters: [
    epsilonKnob(),
    normKnob(),
    stepsKnob({ help: 'How many gradients are followed. The length of a step takes care of itself.' }),
    restartsKnob({ help: 'Further runs from random points, for the images that are not fooled yet.' }),
    {
      kind: 'choice',
      name: 'loss',
      label: 'Loss',
      help: 'DLR stays steep where cross-entropy is flat because the model is too sure of itself.',
      choices: [
        { value: 'cross-entropy', label: 'Cross-entropy' },
        { value: 'dlr', label: 'DLR' },
        { value: 'dlr-targeted', label: 'Targeted DLR' },
      ],
    },
  ],
  run: apgd,
}
