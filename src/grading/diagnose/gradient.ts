/** Whether there was a slope to follow at all: a defence can look strong because its gradient is useless. */
import { finding, percent } from '../findings.ts'
import { gradientOf, type MeasuredExamples } from '../evasion.ts'
import type { Model } from '../../models/model.ts'
import type { Rule } from './run.ts'

export interface GradientFacts {
  /** Share of images whose cross-entropy has no slope anywhere. */
  flat: number
  /** The same for the margin between the right class and the best other. */
  flatMargin: number
}

/** Asks the model for two gradients at the originals. */
export async function examineGradients(
  model: Model,
  { originals, shape, task }: Pick<MeasuredExamples, 'originals' | 'shape' | 'task'>,
): Promise<GradientFacts> {
  const entropy = await gradientOf(model, originals, shape, task.labels)
  const margin = await gradientOf(model, originals, shape, task.labels, { kind: 'margin' })
  return { flat: flatShare(entropy, shape[0]!), flatMargin: flatShare(margin, shape[0]!) }
}

function flatShare(gradient: Float32Array, count: number): number {
  const size = gradient.length / count
  const flat = Array.from({ length: count }, (_, row) =>
    gradient.subarray(row * size, (row + 1) * size).every((slope) => slope === 0),
  )
  return flat.filter(Boolean).length / count
}

/** No loss has a slope: something in the model is not differentiable, such as a rounding. */
export const zeroGradient: Rule = ({ gradient, trace = [] }) => {
  const watched = trace.length > 0 ? Math.min(...trace.map(({ values }) => values.flat ?? 0)) : 0
  const flat = gradient ? Math.min(gradient.flat, gradient.flatMargin) : watched
  return (
    flat > 0.5 &&
    finding(
      'zero-gradient',
      'The gradient is zero: there was no direction to step in.',
      `On ${percent(flat)} of the images no pixel changes the loss at all. A model that tells one picture from another is not flat; something in front of it or behind it is not differentiable and hides the slope, but not the border.`,
      'go round it: take the gradient as if the step that rounds were not there, or attack a copy that has none.',
    )
  )
}

/** Cross-entropy is flat where the margin is not: the model is so sure that the loss underflows. */
export const maskedGradient: Rule = ({ gradient }) =>
  gradient !== undefined &&
  gradient.flat > 0.2 &&
  gradient.flatMargin < gradient.flat / 2 &&
  finding(
    'masked-gradient',
    'The gradient is masked, not gone.',
    `On ${percent(gradient.flat)} of the images cross-entropy has no slope, but the margin between the two best classes has one on all but ${percent(gradient.flatMargin)}. The scores are so far apart that the probability is 1 to the last digit.`,
    "climb another loss: { kind: 'margin' } or { kind: 'dlr' }, or divide the scores first.",
  )

/** Probabilities where scores belong: the loss takes a softmax of a softmax, and is nearly flat. */
export const softmaxLogits: Rule = ({ measured: { gallery } }) => {
  const rows = gallery.map(({ logitsBefore }) => logitsBefore)
  const isSoftmax = (row: number[]) =>
    row.every((score) => score >= 0 && score <= 1) && Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 1e-3
  const classes = rows[0]?.length ?? 0
  return (
    rows.length > 0 &&
    classes > 1 &&
    rows.every(isSoftmax) &&
    finding(
      'softmax-logits',
      'The model hands out probabilities where scores before softmax belong.',
      `Every row of its answers lies between 0 and 1 and adds up to 1. Cross-entropy then takes the softmax of a softmax: its loss can never fall below ${(Math.log(Math.E + classes - 1) - 1).toFixed(2)}, and its gradient is a shadow of the true one.`,
      'ask for the scores before softmax, or take the logarithm of the probabilities first.',
    )
  )
}
