/**
 * DeepFool: as if the classes were separated by planes, step onto the nearest one, and repeat.
 * Moosavi-Dezfooli, Fawzi, Frossard 2016, "DeepFool: a simple and accurate method to fool deep neural
 * networks", Alg. 2 and §3.3 (other norms), arXiv:1511.04599.
 *
 * Threat model: white-box, a gradient for each class and step; the smallest change in L2 or L∞, no budget.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import type { Criterion } from '../../core/criteria.ts'
import { Held } from '../../core/held.ts'
import { clipToBounds, normRows } from '../../core/norms.ts'
import { indexOfMax, likeliestOthers, oneHotRows, perRow, pickRows, readRows } from '../../core/rows.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { atLeastZero, checkBatch, readOptions, untargeted, wholeNumber } from '../check.ts'
import { normKnob, stepsKnob } from '../knobs.ts'

export type DeepFoolOptions = {
  norm: 'l2' | 'linf'
  /** Steps after which a row is given up. */
  steps: number
  /** How much further than the plane to go, as a share of the way. */
  overshoot: number
  /** Overshoot the whole way so far (the authors' code, foolbox), or each step by itself (torchattacks). */
  overshoots: 'whole' | 'step'
  /** How many classes are looked at, with the label: those that the victim finds likeliest at x. */
  candidates: number
}

const defaults: DeepFoolOptions = {
  norm: 'l2',
  steps: 50,
  overshoot: 0.02,
  overshoots: 'whole',
  candidates: 10,
}

/** A row on its way. */
interface Walk {
  /** Its place in x. */
  row: number
  label: number
  /** The other classes looked at, likeliest first. */
  rivals: number[]
  /** Its logits where it stands. */
  scores: Float32Array
}

/**
 * x: (N, …inputShape) in the victim's bounds. Each row stops as soon as it is read as another class than its
 * label; one that is misread already comes back as it is. A row that is not misread after `steps` comes back
 * as far as it got. Returns a new tensor that the caller disposes; x is untouched. Throws RangeError when
 * overshoot is negative, steps is not a whole number above 0 or candidates one above 1, `bad-input` for a
 * target, or when x or the labels do not fit.
 *
 * Differs from the paper: the result is clipped to the bounds after every step; with `whole`, each step goes
 * 1e-4 further than the plane, as in the authors' code, so that rounding does not leave it on the near side.
 */
export async function deepfool(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<DeepFoolOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const { norm, steps, overshoot, overshoots, candidates } = readOptions(entry, options) as DeepFoolOptions
  wholeNumber('deepfool', 'steps', steps, 1)
  atLeastZero('deepfool', 'overshoot', overshoot)
  wholeNumber('deepfool', 'candidates', candidates, 2)
  const labels = untargeted('deepfool', criterion)
  checkBatch('deepfool', victim, x, criterion)

  const finished = Float32Array.from(await x.data())
  const width = finished.length / Math.max(1, labels.length)
  const held = new Held(() => ({ origin: tf.clone(x), at: tf.clone(x), total: tf.zerosLike(x) }))
  let walks = Array.from(labels, (label, row): Walk => ({
    row,
    label,
    rivals: [],
    scores: new Float32Array(),
  }))
  try {
    for (let step = 0; ; step++) {
      throwIfCancelled(run)
      const scores = await readScores(victim, held.now.at)
      walks = walks.map((walk, i) => ({ ...walk, scores: scores[i]! }))
      if (step === 0)
        for (const walk of walks) walk.rivals = likeliestOthers(walk.scores, walk.label, candidates - 1)
      const ends = walks.map((walk) => step === steps || indexOfMax(walk.scores) !== walk.label)
      if (ends.includes(true)) {
        const pixels = await held.now.at.data()
        walks.forEach(({ row }, i) => {
          if (ends[i]) finished.set(pixels.subarray(i * width, (i + 1) * width), row * width)
        })
        const others = [...ends.keys()].filter((i) => !ends[i])
        walks = others.map((i) => walks[i]!)
        if (walks.length === 0) break
        held.step(({ origin, at, total }) => {
          const kept = tf.tensor1d(Int32Array.from(others), 'int32')
          return { origin: tf.gather(origin, kept), at: tf.gather(at, kept), total: tf.gather(total, kept) }
        })
      }
      const plane = await nearestPlane(victim, held.now.at, walks, norm)
      held.step(
        ({ origin, at, total }) => {
          const margin = overshoots === 'whole' ? 1e-4 : 0
          const move = tf.mul(perRow(tf.add(plane.distance, margin), at), plane.direction)
          const whole = tf.add(total, move)
          const [from, way] = overshoots === 'whole' ? [origin, whole] : [at, move]
          return { total: whole, at: clipToBounds(tf.add(from, tf.mul(way, 1 + overshoot)), victim.bounds) }
        },
        [plane.distance, plane.direction],
      )
      run.onStep?.(step + 1, steps)
    }
    return { adversarial: tf.tensor(finished, x.shape), trace: [] }
  } finally {
    held.dispose()
  }
}

/**
 * The nearest of the planes f_k = z_k − z_label = 0 around each row: how far it is, and the way of length 1
 * to it, in the norm (its dual measures w = ∇f_k). A row whose f_k does not change stays.
 */
async function nearestPlane(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  walks: readonly Walk[],
  norm: 'l2' | 'linf',
): Promise<{ distance: tf.Tensor; direction: tf.Tensor }> {
  const labels = walks.map(({ label }) => label)
  const held = new Held(() => ({ distance: tf.fill([walks.length], 1e30), direction: tf.zerosLike(x) }))
  try {
    for (let k = 0; k < walks[0]!.rivals.length; k++) {
      const classes = walks.map(({ rivals }) => rivals[k]!)
      const difference = tf.tidy(() =>
        tf.sub(oneHotRows(classes, victim.numClasses), oneHotRows(labels, victim.numClasses)),
      )
      const w = await victim.vjp(x, difference).finally(() => difference.dispose())
      held.step(({ distance, direction }) => {
        const gap = tf.tensor1d(
          walks.map(({ scores, rivals, label }) => Math.abs(scores[rivals[k]!]! - scores[label]!)),
        )
        const size = tf.add(normRows(w, norm === 'l2' ? 'l2' : 'l1'), 1e-8)
        const here = tf.div(gap, size)
        const way = norm === 'l2' ? tf.div(w, perRow(size, w)) : tf.sign(w)
        const nearer = tf.less(here, distance)
        return { distance: tf.minimum(here, distance), direction: pickRows(nearer, way, direction) }
      }, w)
    }
    return { distance: held.take('distance'), direction: held.take('direction') }
  } finally {
    held.dispose()
  }
}

async function readScores(victim: WhiteBoxAccess, x: tf.Tensor): Promise<Float32Array[]> {
  const logits = await victim.logits(x)
  return readRows(logits).finally(() => logits.dispose())
}

export const entry: EvasionEntry = {
  id: 'deepfool',
  title: 'DeepFool',
  summary: 'Steps onto the nearest border between two classes, as if all borders were straight.',
  family: 'evasion',
  access: 'white-box',
  targeted: false,
  paper: { cite: 'Moosavi-Dezfooli et al. 2016', url: 'https://arxiv.org/abs/1511.04599' },
  defaults,
  parameters: [
    normKnob({
      help: 'The nearest border in L2 is reached by the shortest change, in L∞ by the smallest change of every pixel.',
    }),
    stepsKnob({
      label: 'Steps at most',
      help: 'A few are enough for most images; each stops at its border.',
    }),
    {
      kind: 'number',
      name: 'overshoot',
      label: 'Overshoot',
      symbol: 'η',
      help: 'How much further than the border to go, as a share of the way.',
      min: 0,
      max: 1,
      step: 0.01,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'choice',
      name: 'overshoots',
      label: 'Overshoot of',
      help: 'The whole way from the original, as its authors do, or each step, which can stall on the border.',
      choices: [
        { value: 'whole', label: 'the whole way' },
        { value: 'step', label: 'each step' },
      ],
    },
    {
      kind: 'number',
      name: 'candidates',
      label: 'Classes looked at',
      help: 'The likeliest so many classes, with the true one. Fewer is faster and may miss the nearest border.',
      min: 2,
      max: 50,
      step: 1,
      unit: 'classes',
      scale: 'linear',
    },
  ],
  run: deepfool,
}
