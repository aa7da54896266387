/**
 * AutoAttack: four attacks without a knob, run in turn on whatever is still standing: APGD on cross-entropy,
 * APGD on targeted DLR, FAB towards each class, Square. Croce & Hein 2020, "Reliable evaluation of adversarial
 * robustness with an ensemble of diverse parameter-free attacks", §5, arXiv:2003.01690; the version its code
 * calls standard. It doubts itself: what its figures are worth is returned as flags.
 *
 * Threat model: white-box; budget epsilon in L∞ or L2. Square sees scores only.
 */
import type { ScoreOracle, WhiteBoxAccess } from '../../core/classifier.ts'
import { criterionFor, type Criterion } from '../../core/criteria.ts'
import { clipToBounds, normRows, shrinkToL2Ball } from '../../core/norms.ts'
import { createRng } from '../../core/rng.ts'
import { adversarialRows, openRows, putRows, rowsWhere } from '../../core/rows.ts'
import { throwIfCancelled, type RunContext, type TraceStep } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { atLeastZero, checkBatch, readOptions, untargeted, wholeNumber } from '../check.ts'
import { epsilonKnob, normKnob, stepsKnob } from '../knobs.ts'
import {
  flag,
  probabilityShare,
  randomShare,
  zeroGradientShare,
  type ReliabilityFlag,
} from '../reliability.ts'
import { apgd, randomEdge } from './apgd.ts'
import { fab } from './fab.ts'
import { square } from './square.ts'

export type AutoAttackOptions = {
  /** Radius of the ball around x, in the same units as x. */
  epsilon: number
  norm: 'linf' | 'l2'
  /** Of each run of APGD and of FAB. */
  steps: number
  /** Questions that Square may ask about each row. */
  queries: number
}

const defaults: AutoAttackOptions = { epsilon: 0.25, norm: 'linf', steps: 100, queries: 5000 }

/** Its parts, in their order. */
export const components = ['apgd-ce', 'apgd-t', 'fab-t', 'square'] as const
export type Component = (typeof components)[number]

/** The other classes that the targeted parts aim at: the nine likeliest. */
const mostTargets = 9

export interface AutoAttackResult extends EvasionResult {
  flags: ReliabilityFlag[]
}

/**
 * x: (N, …inputShape) in the victim's bounds; epsilon in the same units. A row that a part gets misread within
 * the budget is left alone by the next; a row that withstands all is given back as it came, and one that is
 * misread from the start too; with epsilon 0 that is every row. A single question to Square shows it the stripes
 * of its start. The trace holds the share of rows that still stand before the first part (step 0)
 * and after each (1: APGD-CE, 2: APGD-T, 3: FAB-T, 4: Square). Flags: see reliability.ts. With fewer than four
 * classes APGD-T is left out, because targeted DLR needs four. Returns a new tensor that the caller disposes; x
 * is untouched. Throws RangeError when epsilon is negative or counts are not whole; `bad-input` for a target.
 *
 * Differs from the code: Square reads softmax of the logits divided by one constant, so that it is never
 * saturated; the code's reads the logits. A model that answers by chance belongs behind `eot` first.
 */
export async function autoattack(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<AutoAttackOptions>,
  run: RunContext,
): Promise<AutoAttackResult> {
  const settings = readOptions(entry, options) as AutoAttackOptions
  atLeastZero('autoattack', 'epsilon', settings.epsilon)
  wholeNumber('autoattack', 'steps', settings.steps, 1)
  wholeNumber('autoattack', 'queries', settings.queries, 1)
  const labels = untargeted('autoattack', criterion)
  checkBatch('autoattack', victim, x, criterion)
  throwIfCancelled(run)

  const rows = x.shape[0]!
  const logits = await victim.logits(x)
  let adversarial: tf.Tensor = tf.clone(x)
  try {
    const flags = [
      flag('zero-gradient', await zeroGradients(victim, x, labels, settings, run)),
      flag('probabilities', await probabilityShare(logits)),
      flag('random-output', await randomShare(victim, x, logits)),
    ]
    let open = await openRows(logits, criterion)
    const standing = [open.length]
    const byChance = await fallenAtStart(victim, x, criterion, settings, run)
    for (const [i, component] of components.entries()) {
      throwIfCancelled(run)
      if (open.length > 0) {
        const found = await runComponent(component, victim, x, criterion, open, settings, {
          ...run,
          onStep: (done, total) => tell(run, i + (total > 0 ? done / total : 1)),
        })
        const fallen = open.filter((_, at) => found.hits[at])
        const [before, hits] = [adversarial, found.hits.flatMap((hit, at) => (hit ? [at] : []))]
        adversarial = tf.tidy(() =>
          fallen.length > 0 ? putRows(before, tf.gather(found.adversarial, hits), fallen) : tf.clone(before),
        )
        tf.dispose([before, found.adversarial])
        open = open.filter((_, at) => !found.hits[at])
      }
      standing.push(open.length)
      tell(run, i + 1)
    }
    const share = (count: number) => count / Math.max(1, rows)
    const [clean, afterCe, , afterFab, afterSquare] = standing as [number, number, number, number, number]
    flags.push(
      flag('black-box-wins', share(afterFab - afterSquare)),
      // Nothing to gain where nothing stood.
      ...(clean > 0 ? [flag('no-better-than-random', share(Math.max(0, clean - afterCe - byChance)))] : []),
    )
    const trace: TraceStep[] = standing.map((count, step) => ({ step, values: { standing: share(count) } }))
    return { adversarial, trace, flags }
  } catch (error) {
    adversarial.dispose()
    throw error
  } finally {
    logits.dispose()
  }
}

/** One part alone, on some rows: what it made of them, and which are misread within the budget. */
export async function runComponent(
  component: Component,
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  rows: readonly number[],
  { epsilon, norm, steps, queries }: AutoAttackOptions,
  run: RunContext,
): Promise<{ adversarial: tf.Tensor; hits: boolean[] }> {
  const some = tf.gather(x, [...rows])
  const wish = criterionFor(criterion, rows)
  const targets = Math.min(mostTargets, victim.numClasses - 1)
  const attack = async (): Promise<EvasionResult> => {
    switch (component) {
      case 'apgd-ce':
        return apgd(victim, some, wish, { epsilon, norm, steps, loss: 'cross-entropy' }, run)
      case 'apgd-t':
        if (victim.numClasses < 4) return { adversarial: tf.clone(some), trace: [] }
        return apgd(
          victim,
          some,
          wish,
          { epsilon, norm, steps, loss: 'dlr-targeted', restarts: targets - 1 },
          run,
        )
      case 'fab-t':
        return fab(
          victim,
          some,
          wish,
          {
            norm,
            steps,
            borders: 'each',
            classes: targets,
            startRadius: epsilon,
            goodEnough: epsilon,
          },
          run,
        )
      case 'square':
        return square(
          await unsaturated(victim, some),
          some,
          wish,
          { epsilon, norm, maxQueries: queries, variant: 'autoattack' },
          run,
        )
    }
  }
  try {
    const { adversarial } = await attack()
    try {
      return { adversarial, hits: await hitsOf(victim, some, adversarial, wish, norm, epsilon) }
    } catch (error) {
      adversarial.dispose()
      throw error
    }
  } finally {
    some.dispose()
  }
}

/** Misread, and within the budget: FAB looks for the nearest success and does not know of one. */
async function hitsOf(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  adversarial: tf.Tensor,
  criterion: Criterion,
  norm: AutoAttackOptions['norm'],
  epsilon: number,
): Promise<boolean[]> {
  const logits = await victim.logits(adversarial)
  const hits = tf.tidy(() =>
    tf.logicalAnd(
      adversarialRows(logits, criterion),
      tf.lessEqual(normRows(tf.sub(adversarial, x), norm), epsilon + 1e-6),
    ),
  )
  try {
    const found = new Set(await rowsWhere(hits))
    return Array.from({ length: x.shape[0]! }, (_, row) => found.has(row))
  } finally {
    tf.dispose([logits, hits])
  }
}

/** Progress over the four parts, in hundredths of one. */
function tell(run: RunContext, parts: number): void {
  run.onStep?.(Math.max(1, Math.round(100 * parts)), 100 * components.length)
}

/** DLR where it exists; a model of two classes is asked for its margin, which scaling cannot flatten either. */
async function zeroGradients(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  labels: ArrayLike<number>,
  settings: AutoAttackOptions,
  run: RunContext,
): Promise<number> {
  const start = startOf(victim, x, settings, run)
  try {
    return await zeroGradientShare(victim, start, labels, { kind: victim.numClasses < 3 ? 'margin' : 'dlr' })
  } finally {
    start.dispose()
  }
}

/** How many more rows are misread at a random point of the ball than at x. */
async function fallenAtStart(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  settings: AutoAttackOptions,
  run: RunContext,
): Promise<number> {
  const start = startOf(victim, x, settings, run)
  try {
    const [before, after] = [await victim.logits(x), await victim.logits(start)]
    try {
      return Math.max(
        0,
        (await openRows(before, criterion)).length - (await openRows(after, criterion)).length,
      )
    } finally {
      tf.dispose([before, after])
    }
  } finally {
    start.dispose()
  }
}

/** A random point on the edge of the ball, as APGD begins. */
function startOf(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  { epsilon, norm }: AutoAttackOptions,
  run: RunContext,
): tf.Tensor {
  return tf.tidy(() => {
    const delta = randomEdge(x, norm, epsilon, createRng(run.seed, 'autoattack start'))
    const inside = norm === 'linf' ? delta : shrinkToL2Ball(delta, epsilon)
    return clipToBounds(tf.add(x, inside), victim.bounds)
  })
}

/** The largest logit that Square is shown: float32 still tells probabilities of e^−30 apart. */
const readableLogit = 30

/** Scores of the victim, its logits divided by one constant so that softmax tells even the unlikely classes apart. */
async function unsaturated(victim: WhiteBoxAccess, x: tf.Tensor): Promise<ScoreOracle> {
  const logits = await victim.logits(x)
  const largest = tf.tidy(() => tf.max(tf.sub(tf.max(logits, 1), tf.min(logits, 1))))
  const divisor = Math.max(1, (await largest.data())[0]! / readableLogit)
  tf.dispose([logits, largest])
  return {
    inputShape: victim.inputShape,
    numClasses: victim.numClasses,
    bounds: victim.bounds,
    async scores(points) {
      const z = await victim.logits(points)
      try {
        return tf.tidy(() => tf.softmax(tf.div(z, divisor)))
      } finally {
        z.dispose()
      }
    },
  }
}

export const entry: EvasionEntry = {
  id: 'autoattack',
  title: 'AutoAttack',
  summary:
    'Four attacks without a knob, one after the other on whatever still stands, and doubts about the result.',
  family: 'evasion',
  access: 'white-box',
  targeted: false,
  paper: { cite: 'Croce & Hein 2020', url: 'https://arxiv.org/abs/2003.01690' },
  defaults,
  parameters: [
    epsilonKnob(),
    normKnob(),
    stepsKnob({
      help: 'Of each run of APGD and of FAB; the lengths of their steps take care of themselves.',
    }),
    {
      kind: 'number',
      name: 'queries',
      label: 'Questions an image',
      help: 'How often Square, the attack without gradients, may ask about each image.',
      min: 1,
      max: 5000,
      step: 1,
      unit: '',
      scale: 'log',
    },
  ],
  run: autoattack,
}
