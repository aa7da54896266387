/**
 * The universal perturbation: one change for every picture, gathered from what each picture still lacks.
 * Moosavi-Dezfooli, Fawzi, Fawzi, Frossard 2017, "Universal adversarial perturbations", Alg. 1, arXiv:1610.08401.
 *
 * Threat model: white-box, a DeepFool search for every picture and pass; budget epsilon in L∞ or L2.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import type { Criterion } from '../../core/criteria.ts'
import { Held } from '../../core/held.ts'
import { clipToBounds, shrinkToL2Ball } from '../../core/norms.ts'
import { createRng } from '../../core/rng.ts'
import { adversarialRows } from '../../core/rows.ts'
import { throwIfCancelled, type RunContext, type TraceStep } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { aboveZero, atLeastZero, checkBatch, readOptions, untargeted, wholeNumber } from '../check.ts'
import { epsilonKnob, normKnob, stepsKnob } from '../knobs.ts'
import { deepfool } from './deepfool.ts'

export type UniversalOptions = {
  /** Largest size of the one change, in the same units as x. */
  epsilon: number
  norm: 'linf' | 'l2'
  /** Share of x that is enough, 0 to 1: the paper's 1 − δ. */
  share: number
  /** Times that all of x is gone through, at most. */
  passes: number
  /** DeepFool's, for each picture that is still read rightly. */
  steps: number
  overshoot: number
}

const defaults: UniversalOptions = {
  epsilon: 0.2,
  norm: 'linf',
  share: 0.8,
  passes: 4,
  steps: 20,
  overshoot: 0.02,
}

/**
 * x: (N, …inputShape) in the victim's bounds; epsilon in the same units. Goes through x in an order drawn from run.seed:
 * to a row that is not yet misread under the common change, the smallest change that would make it so is added, and
 * the sum is pulled back into the ball. Ends when `share` of x is misread, or after so many passes. Returns x with the
 * change (none, with epsilon 0), clipped to the bounds, also to rows that were misread already, as a new tensor that the caller disposes; x is untouched. A row's result depends on
 * all rows. The trace holds the share misread after each pass. Throws RangeError when epsilon or overshoot is negative,
 * share not in (0, 1], passes or steps not a whole number above 0; `bad-input` for a target, or when x or the labels
 * do not fit.
 *
 * Differs from the paper: "misread" is against the given labels, not the victim's own; pictures are clipped to the
 * bounds before they are read; of all passes the change that fooled most is kept, since the share goes up and down.
 */
export async function universal(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<UniversalOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const settings = readOptions(entry, options) as UniversalOptions
  const { epsilon, norm, share, passes, steps, overshoot } = settings
  atLeastZero('universal', 'epsilon', epsilon)
  aboveZero('universal', 'share', share)
  if (share > 1) throw new RangeError(`universal: share must be at most 1; got ${share}`)
  wholeNumber('universal', 'passes', passes, 1)
  wholeNumber('universal', 'steps', steps, 1)
  atLeastZero('universal', 'overshoot', overshoot)
  const labels = untargeted('universal', criterion)
  checkBatch('universal', victim, x, criterion)

  const rows = labels.length
  const rng = createRng(run.seed, 'universal')
  const trace: TraceStep[] = []
  const begin = (row: number) => [row, ...victim.inputShape.map(() => 0)]
  const block = (row: number, count: number) => tf.slice(x, begin(row), [count, ...victim.inputShape])
  const held = new Held(() => {
    const delta = tf.zeros([1, ...victim.inputShape])
    return { delta, best: tf.clone(delta) }
  })
  const shown = (from: number, count: number, delta: tf.Tensor) =>
    tf.tidy(() => clipToBounds(tf.add(block(from, count), delta), victim.bounds))
  const unbounded = withoutBounds(victim)
  let most = -1
  try {
    for (let pass = 0; pass < passes && rows > 0 && most < share; pass++) {
      const order = rng.shuffle(Array.from({ length: rows }, (_, row) => row))
      for (const [done, row] of order.entries()) {
        throwIfCancelled(run)
        const of: Criterion = { kind: 'misclassification', labels: [labels[row]!] }
        const owned = [shown(row, 1, held.now.delta)]
        try {
          if ((await misreadShare(victim, owned[0]!, of)) === 0) {
            const at = tf.tidy(() => tf.add(block(row, 1), held.now.delta))
            owned.push(at)
            const inner = { seed: run.seed, signal: run.signal }
            const { adversarial } = await deepfool(unbounded, at, of, { norm, steps, overshoot }, inner)
            owned.push(adversarial)
            held.step(({ delta }) => {
              const sum = tf.add(delta, tf.sub(adversarial, at))
              return {
                delta:
                  norm === 'linf' ? tf.clipByValue(sum, -epsilon, epsilon) : shrinkToL2Ball(sum, epsilon),
              }
            })
          }
        } finally {
          tf.dispose(owned)
        }
        run.onStep?.(pass * rows + done + 1, passes * rows)
      }
      const all = shown(0, rows, held.now.delta)
      try {
        const misread = await misreadShare(victim, all, criterion)
        trace.push({ step: pass, values: { misread } })
        if (misread >= most) {
          most = misread
          held.step(({ delta }) => ({ best: tf.clone(delta) }))
        }
      } finally {
        all.dispose()
      }
    }
    return { adversarial: shown(0, rows, held.now.best), trace }
  } finally {
    held.dispose()
  }
}

/** The same victim for a search that may leave the bounds: only the sum of all changes is shown, and clipped. */
const withoutBounds = (victim: WhiteBoxAccess): WhiteBoxAccess => ({
  inputShape: victim.inputShape,
  numClasses: victim.numClasses,
  bounds: [-1e9, 1e9],
  logits: (x) => victim.logits(x),
  lossAndGradient: (x, y, loss) => victim.lossAndGradient(x, y, loss),
  vjp: (x, cotangent) => victim.vjp(x, cotangent),
})

/** Share of the rows that are successes, 0 to 1. */
async function misreadShare(victim: WhiteBoxAccess, x: tf.Tensor, criterion: Criterion): Promise<number> {
  const logits = await victim.logits(x)
  try {
    const mean = tf.tidy(() => tf.mean(tf.cast(adversarialRows(logits, criterion), 'float32')))
    const [share] = await mean.data()
    mean.dispose()
    return share!
  } finally {
    logits.dispose()
  }
}

export const entry: EvasionEntry = {
  id: 'universal',
  title: 'Universal perturbation',
  summary: 'Gather one change that fools most pictures, by adding to it what each of them still lacks.',
  family: 'evasion',
  access: 'white-box',
  targeted: false,
  paper: { cite: 'Moosavi-Dezfooli et al. 2017', url: 'https://arxiv.org/abs/1610.08401' },
  defaults,
  parameters: [
    epsilonKnob({
      help: 'How large the one change may be. It has to work for every picture, so it takes more.',
    }),
    normKnob(),
    {
      kind: 'number',
      name: 'share',
      label: 'Enough when misread',
      help: 'The search ends when this share of the pictures is misread.',
      min: 0.05,
      max: 1,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'passes',
      label: 'Passes',
      help: 'How often all pictures are gone through, at most.',
      min: 1,
      max: 20,
      step: 1,
      unit: '',
      scale: 'linear',
    },
    stepsKnob({ help: 'Steps of DeepFool for each picture that is still read rightly.' }),
    {
      kind: 'number',
      name: 'overshoot',
      label: 'Overshoot',
      help: 'How much further than the border each picture pushes the change.',
      min: 0,
      max: 1,
      step: 0.01,
      unit: '',
      scale: 'linear',
    },
  ],
  run: universal,
}
