/**
 * The elastic-net attack: Carlini and Wagner's aim with an L1 term beside the L2, which sets most pixels back
 * to exactly what they were.
 * Chen et al. 2018, "EAD: Elastic-Net Attacks to Deep Neural Networks via Adversarial Examples", Alg. 1,
 * arXiv:1709.04114.
 *
 * Threat model: white-box, searchSteps × steps gradients; the smallest change in L1 + L2², no budget.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { ConstantSearch } from '../../core/constant-search.ts'
import { ascentSign, criterionLabels, type Criterion } from '../../core/criteria.ts'
import { Held } from '../../core/held.ts'
import { lossRows } from '../../core/losses.ts'
import { normRows } from '../../core/norms.ts'
import { perRow, pickRows } from '../../core/rows.ts'
import { throwIfCancelled, type RunContext, type TraceStep } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { aboveZero, atLeastZero, checkBatch, readOptions, wholeNumber } from '../check.ts'
import { confidenceKnob, constantKnobs, stepSizeKnob, stepsKnob } from '../knobs.ts'

export type EadOptions = {
  /** κ: by how much of a logit the image must be misread, or hit its target. */
  confidence: number
  /** Values of c that are tried. */
  searchSteps: number
  /** Steps with each c. */
  steps: number
  /** Length of the first step; it falls to 0 with the square root of the steps left. */
  stepSize: number
  /** The first c. */
  initialConst: number
  /** β: the weight of L1, and the change below which a pixel is set back in each step. */
  beta: number
  /** What "nearest" means: β·L1 + L2² (EN), or L1. */
  rule: 'en' | 'l1'
}

const defaults: EadOptions = {
  confidence: 0,
  searchSteps: 6,
  steps: 200,
  stepSize: 0.05,
  initialConst: 0.01,
  beta: 0.01,
  rule: 'en',
}

/**
 * x: (N, …inputShape) in the victim's bounds. Returns, for each row, the nearest image met that is misread
 * (or, with targets, hit) by `confidence` or more; a row for which there was none comes back as it is, and so
 * does one that is a success already. Each row has its own c. Returns a new tensor that the caller disposes; x
 * is untouched. Throws RangeError when confidence or beta is negative, stepSize or initialConst not positive,
 * steps or searchSteps not a whole number above 0, `bad-input` when x or the labels do not fit.
 *
 * Differs from its authors' code: never gives a c up early, which would tie the rows of a batch together.
 */
export async function ead(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<EadOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const { confidence, searchSteps, steps, stepSize, initialConst, beta, rule } = readOptions(
    entry,
    options,
  ) as EadOptions
  atLeastZero('ead', 'confidence', confidence)
  wholeNumber('ead', 'searchSteps', searchSteps, 1)
  wholeNumber('ead', 'steps', steps, 1)
  aboveZero('ead', 'stepSize', stepSize)
  aboveZero('ead', 'initialConst', initialConst)
  atLeastZero('ead', 'beta', beta)
  checkBatch('ead', victim, x, criterion)
  const labels = criterionLabels(criterion)
  const sign = ascentSign(criterion)

  const search = new ConstantSearch(labels.length, initialConst)
  const trace: TraceStep[] = []
  const held = new Held(() => {
    const nearest = tf.fill([labels.length], 1e30)
    return {
      image: tf.clone(x),
      slack: tf.clone(x),
      found: tf.zeros([labels.length], 'bool'),
      best: tf.clone(x),
      nearest,
      c: tf.clone(nearest),
    }
  })
  try {
    for (let round = 1; round <= searchSteps; round++) {
      held.step(() => ({
        image: tf.clone(x),
        slack: tf.clone(x),
        found: tf.zeros([labels.length], 'bool'),
        c: tf.tensor1d(Float32Array.from(search.values)),
      }))
      for (let step = 0; step < steps; step++) {
        throwIfCancelled(run)
        const answer = await victim.lossAndGradient(held.now.slack, labels, { kind: 'margin' })
        held.step(
          ({ image: before, slack, c }) => {
            // Of c · max(0, κ − lead) + ‖slack − x‖², where lead is that of the wanted classes over the unwanted.
            const pull = tf.mul(c, tf.cast(tf.less(tf.mul(answer.loss, sign), confidence), 'float32'))
            const misreading = tf.mul(perRow(pull, x), tf.mul(answer.gradient, -sign))
            const gradient = tf.add(misreading, tf.mul(tf.sub(slack, x), 2))
            const moved = tf.sub(slack, tf.mul(gradient, stepSize * Math.sqrt(1 - step / steps)))
            const image = shrinkTowards(x, moved, beta, victim.bounds)
            return { image, slack: tf.add(image, tf.mul(tf.sub(image, before), step / (step + 3))) }
          },
          [answer.loss, answer.gradient],
        )
        const logits = await victim.logits(held.now.image)
        held.step(({ image, found, best, nearest }) => {
          const hit = tf.greater(
            tf.mul(lossRows(logits as tf.Tensor2D, labels, { kind: 'margin' }), sign),
            confidence,
          )
          const change = tf.sub(image, x)
          const l1 = normRows(change, 'l1')
          const distance = rule === 'l1' ? l1 : tf.add(tf.mul(l1, beta), tf.square(normRows(change, 'l2')))
          const better = tf.logicalAnd(hit, tf.less(distance, nearest))
          return {
            found: tf.logicalOr(found, hit),
            best: pickRows(better, image, best),
            nearest: tf.where(better, distance, nearest),
          }
        }, logits)
        run.onStep?.((round - 1) * steps + step + 1, searchSteps * steps)
      }
      trace.push({ step: round, values: { won: search.next(await held.now.found.data()) } })
    }
    return { adversarial: held.take('best'), trace }
  } finally {
    held.dispose()
  }
}

/** Each pixel of z moved towards x by beta, but not past it, and pulled into the bounds: eq. 5 of the paper. */
function shrinkTowards(
  x: tf.Tensor,
  z: tf.Tensor,
  beta: number,
  [low, high]: readonly [number, number],
): tf.Tensor {
  const away = tf.sub(z, x)
  const below = tf.where(tf.less(away, -beta), tf.maximum(tf.add(z, beta), low), x)
  return tf.where(tf.greater(away, beta), tf.minimum(tf.sub(z, beta), high), below)
}

export const entry: EvasionEntry = {
  id: 'ead',
  title: 'Elastic-net attack',
  summary: 'Changes few pixels: those that would move by less than a little are set back to what they were.',
  family: 'evasion',
  access: 'white-box',
  targeted: true,
  paper: { cite: 'Chen et al. 2018', url: 'https://arxiv.org/abs/1709.04114' },
  defaults,
  parameters: [
    confidenceKnob(),
    ...constantKnobs(),
    stepsKnob({ label: 'Steps for each', help: 'Steps with each weight.', max: 1000, scale: 'log' }),
    stepSizeKnob({
      label: 'First step',
      help: 'Length of the first step; later ones are shorter.',
      min: 0.001,
      max: 0.5,
      step: 0.001,
      scale: 'log',
      byNorm: {},
    }),
    {
      kind: 'number',
      name: 'beta',
      label: 'Thrift',
      symbol: 'β',
      help: 'The weight of L1. More leaves more pixels untouched; 0 is close to Carlini–Wagner.',
      min: 0,
      max: 0.2,
      step: 0.001,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'choice',
      name: 'rule',
      label: 'Nearest by',
      help: 'Among the misread images, keep the one with the smallest β·L1 + L2², or the smallest L1.',
      choices: [
        { value: 'en', label: 'L1 and L2' },
        { value: 'l1', label: 'L1' },
      ],
    },
  ],
  run: ead,
}
