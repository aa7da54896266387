/**
 * Carlini and Wagner's L2 attack: minimise the distance plus c times how far the image is from being misread,
 * by Adam, with the smallest c that works, found by bisection.
 * Carlini, Wagner 2017, "Towards Evaluating the Robustness of Neural Networks", §V and §VI.A, arXiv:1608.04644.
 *
 * Threat model: white-box, searchSteps × steps gradients; the smallest change in L2, no budget.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { ConstantSearch } from '../../core/constant-search.ts'
import { ascentSign, criterionLabels, type Criterion } from '../../core/criteria.ts'
import { Held } from '../../core/held.ts'
import { normRows } from '../../core/norms.ts'
import { perRow, pickRows } from '../../core/rows.ts'
import { throwIfCancelled, type RunContext, type TraceStep } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { aboveZero, atLeastZero, checkBatch, readOptions, wholeNumber } from '../check.ts'
import { confidenceKnob, constantKnobs, stepSizeKnob, stepsKnob } from '../knobs.ts'

export type CarliniWagnerOptions = {
  /** κ: by how much of a logit the image must be misread, or hit its target. */
  confidence: number
  /** Values of c that are tried. */
  searchSteps: number
  /** Adam's steps with each c. */
  steps: number
  /** Adam's learning rate, in the space of w, where x = tanh(w). */
  stepSize: number
  /** The first c. */
  initialConst: number
}

const defaults: CarliniWagnerOptions = {
  confidence: 0,
  searchSteps: 6,
  steps: 200,
  stepSize: 0.05,
  initialConst: 0.01,
}

/** Pulls pixels off the bounds, whose w would be infinite and never move again. */
const shrink = 0.999999
const [beta1, beta2, tiny] = [0.9, 0.999, 1e-8]

/**
 * x: (N, …inputShape) in the victim's bounds, which must be finite. Returns, for each row, the nearest image
 * met that is misread (or, with targets, hit) by `confidence` or more; a row for which there was none comes
 * back as it is, and one that is a success already within a millionth. Each row has its own c, so no row
 * depends on its batch. Returns a new tensor that the caller disposes; x is untouched. Throws RangeError when
 * confidence is negative, stepSize or initialConst not positive, steps or searchSteps not a whole number
 * above 0, `bad-input` when x or the labels do not fit.
 *
 * Differs from the paper: the start is tanh⁻¹ of 0.999999 x, so that pixels on the bounds can move; one start.
 * Differs from its authors' code: never gives a c up early, which would tie the rows of a batch together.
 */
export async function carliniWagner(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<CarliniWagnerOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const { confidence, searchSteps, steps, stepSize, initialConst } = readOptions(
    entry,
    options,
  ) as CarliniWagnerOptions
  atLeastZero('carlini-wagner', 'confidence', confidence)
  wholeNumber('carlini-wagner', 'searchSteps', searchSteps, 1)
  wholeNumber('carlini-wagner', 'steps', steps, 1)
  aboveZero('carlini-wagner', 'stepSize', stepSize)
  aboveZero('carlini-wagner', 'initialConst', initialConst)
  checkBatch('carlini-wagner', victim, x, criterion)
  const labels = criterionLabels(criterion)
  const sign = ascentSign(criterion)
  const [low, high] = victim.bounds
  const [middle, half] = [(low + high) / 2, (high - low) / 2]
  const toImage = (w: tf.Tensor) => tf.add(tf.mul(tf.tanh(w), half), middle)

  const search = new ConstantSearch(labels.length, initialConst)
  const trace: TraceStep[] = []
  const held = new Held(() => {
    const start = tf.atanh(tf.mul(tf.div(tf.sub(x, middle), half), shrink))
    const zero = tf.zerosLike(x)
    const none = tf.zeros([labels.length], 'bool')
    const nearest = tf.fill([labels.length], 1e30)
    return {
      start,
      image: toImage(start),
      anchor: toImage(start),
      delta: zero,
      m: tf.clone(zero),
      v: tf.clone(zero),
      found: none,
      best: tf.clone(x),
      nearest,
      c: tf.clone(nearest),
    }
  })
  try {
    for (let round = 1; round <= searchSteps; round++) {
      held.step(({ anchor }) => ({
        image: tf.clone(anchor),
        delta: tf.zerosLike(x),
        m: tf.zerosLike(x),
        v: tf.zerosLike(x),
        found: tf.zeros([labels.length], 'bool'),
        c: tf.tensor1d(Float32Array.from(search.values)),
      }))
      for (let step = 1; step <= steps; step++) {
        throwIfCancelled(run)
        const answer = await victim.lossAndGradient(held.now.image, labels, { kind: 'margin' })
        held.step(
          ({ start, image, anchor, delta, m, v, found, best, nearest, c }) => {
            // How far the wanted classes lead the unwanted: the best other over y, or the target over the rest.
            const lead = tf.mul(answer.loss, sign)
            const hit = tf.greater(lead, confidence)
            const length = normRows(tf.sub(image, x), 'l2')
            const better = tf.logicalAnd(hit, tf.less(length, nearest))

            // Of c · max(0, κ − lead) + ‖image − anchor‖², by the image and then by w.
            const pull = tf.mul(c, tf.cast(tf.less(lead, confidence), 'float32'))
            const misreading = tf.mul(perRow(pull, x), tf.mul(answer.gradient, -sign))
            const byImage = tf.add(misreading, tf.mul(tf.sub(image, anchor), 2))
            const t = tf.tanh(tf.add(start, delta))
            const gradient = tf.mul(byImage, tf.mul(tf.sub(1, tf.square(t)), half))

            const m1 = tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1))
            const v1 = tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2))
            const mean = tf.div(m1, 1 - beta1 ** step)
            const spread = tf.add(tf.sqrt(tf.div(v1, 1 - beta2 ** step)), tiny)
            const moved = tf.sub(delta, tf.mul(tf.div(mean, spread), stepSize))
            return {
              image: toImage(tf.add(start, moved)),
              delta: moved,
              m: m1,
              v: v1,
              found: tf.logicalOr(found, hit),
              best: pickRows(better, image, best),
              nearest: tf.where(better, length, nearest),
            }
          },
          [answer.loss, answer.gradient],
        )
        run.onStep?.((round - 1) * steps + step, searchSteps * steps)
      }
      trace.push({ step: round, values: { won: search.next(await held.now.found.data()) } })
    }
    return { adversarial: held.take('best'), trace }
  } finally {
    held.dispose()
  }
}

export const entry: EvasionEntry = {
  id: 'carlini-wagner',
  title: 'Carlini–Wagner',
  summary:
    'Weighs being misread against staying near, and searches for the lightest weight that still works.',
  family: 'evasion',
  access: 'white-box',
  targeted: true,
  paper: { cite: 'Carlini & Wagner 2017', url: 'https://arxiv.org/abs/1608.04644' },
  defaults,
  parameters: [
    confidenceKnob(),
    ...constantKnobs(),
    stepsKnob({ label: 'Steps for each', help: 'Steps of Adam with each weight.', max: 1000, scale: 'log' }),
    stepSizeKnob({
      help: "Adam's learning rate, in the stretched space where pixels have no bounds.",
      min: 0.001,
      max: 0.5,
      step: 0.001,
      scale: 'log',
      byNorm: {},
    }),
  ],
  run: carliniWagner,
}
