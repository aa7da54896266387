/**
 * NewtonFool: Newton's method for "the label's probability is that of chance", in small steps.
 * Jang, Wu, Jha 2017, "Objective Metrics and Gradient Descent Algorithms for Adversarial Examples in Machine
 * Learning", Alg. 1, ACSAC 2017, doi:10.1145/3134600.3134635.
 *
 * Threat model: white-box, one gradient a step; a small change in L2, no budget.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import type { Criterion } from '../../core/criteria.ts'
import { Held } from '../../core/held.ts'
import { clipToBounds, normRows } from '../../core/norms.ts'
import { adversarialRows, oneHotRows, perRow, pickRows } from '../../core/rows.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { aboveZero, checkBatch, readOptions, untargeted, wholeNumber } from '../check.ts'
import { stepsKnob } from '../knobs.ts'

export type NewtonFoolOptions = {
  steps: number
  /** η: no step is longer than this share of the image's own length. */
  stepSize: number
  /** What stands for the lengths of image and gradient: lengths (the paper), or their squares (foolbox). */
  lengths: 'plain' | 'squared'
}

const defaults: NewtonFoolOptions = { steps: 100, stepSize: 0.01, lengths: 'plain' }

/**
 * x: (N, …inputShape) in the victim's bounds. A row stops as soon as it is misread; one that is misread
 * already comes back as it is, and so does a row of zeros (its length is 0) or without a gradient. Returns a
 * new tensor that the caller disposes; x is untouched. Throws RangeError when stepSize is not positive or
 * steps is not a whole number above 0, `bad-input` for a target, or when x or the labels do not fit.
 *
 * Differs from the paper: stops at a misread row, since beyond chance level the step would turn around;
 * clips to the bounds. `squared` is foolbox's reading, whose steps are longer the smaller the gradient.
 */
export async function newtonFool(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<NewtonFoolOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const { steps, stepSize, lengths } = readOptions(entry, options) as NewtonFoolOptions
  wholeNumber('newton-fool', 'steps', steps, 1)
  aboveZero('newton-fool', 'stepSize', stepSize)
  const labels = untargeted('newton-fool', criterion)
  checkBatch('newton-fool', victim, x, criterion)

  const lengthOf = (rows: tf.Tensor) =>
    lengths === 'squared' ? tf.square(normRows(rows, 'l2')) : normRows(rows, 'l2')
  const held = new Held(() => ({
    adversarial: tf.clone(x),
    size: lengthOf(x),
    truth: oneHotRows(labels, victim.numClasses),
    cotangent: tf.zeros([labels.length, victim.numClasses]),
    probability: tf.zeros([labels.length]),
    done: tf.zeros([labels.length], 'bool'),
  }))
  try {
    for (let step = 1; step <= steps; step++) {
      throwIfCancelled(run)
      const logits = await victim.logits(held.now.adversarial)
      held.step(({ truth }) => {
        // p_y's derivative by the logits is p_y · (truth − p).
        const all = tf.softmax(logits as tf.Tensor2D)
        const probability = tf.sum(tf.mul(all, truth), 1)
        const cotangent = tf.mul(tf.sub(truth, all), tf.expandDims(probability, 1))
        return { probability, cotangent, done: adversarialRows(logits, criterion) }
      }, logits)
      const [left] = await readOnce(() => tf.sum(tf.cast(tf.logicalNot(held.now.done), 'float32')))
      if (left === 0) break
      const gradient = await victim.vjp(held.now.adversarial, held.now.cotangent)
      held.step(({ adversarial, size, probability, done }) => {
        const slope = tf.maximum(lengthOf(gradient), 1e-30)
        const drop = tf.minimum(
          tf.mul(tf.mul(size, slope), stepSize),
          tf.sub(probability, 1 / victim.numClasses),
        )
        // Divided twice, for the square of a small slope is 0 in float32.
        const factor = tf.div(tf.div(drop, slope), slope)
        const moved = tf.sub(adversarial, tf.mul(perRow(factor, gradient), gradient))
        return { adversarial: pickRows(done, adversarial, clipToBounds(moved, victim.bounds)) }
      }, gradient)
      run.onStep?.(step, steps)
    }
    return { adversarial: held.take('adversarial'), trace: [] }
  } finally {
    held.dispose()
  }
}

async function readOnce(make: () => tf.Tensor): Promise<Float32Array> {
  const tensor = tf.tidy(make)
  try {
    return (await tensor.data()) as Float32Array
  } finally {
    tensor.dispose()
  }
}

export const entry: EvasionEntry = {
  id: 'newton-fool',
  title: 'NewtonFool',
  summary: "Lowers the label's probability to that of chance by Newton steps, and stops when it is misread.",
  family: 'evasion',
  access: 'white-box',
  targeted: false,
  paper: { cite: 'Jang et al. 2017', url: 'https://doi.org/10.1145/3134600.3134635' },
  defaults,
  parameters: [
    stepsKnob({ label: 'Steps at most', help: 'Each image stops as soon as it is misread.', max: 300 }),
    {
      kind: 'number',
      name: 'stepSize',
      label: 'Step size',
      symbol: 'η',
      help: "The longest step, as a share of the image's own length. Larger is faster and overshoots.",
      min: 0.001,
      max: 0.2,
      step: 0.001,
      unit: '',
      scale: 'log',
    },
    {
      kind: 'choice',
      name: 'lengths',
      label: 'Lengths',
      help: 'The paper measures image and gradient by their lengths; foolbox by their squares, and jumps where the slope is small.',
      choices: [
        { value: 'plain', label: 'as in the paper' },
        { value: 'squared', label: 'squared' },
      ],
    },
  ],
  run: newtonFool,
}
