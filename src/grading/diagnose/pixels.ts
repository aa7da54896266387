/** What the pixels themselves give away: another scale, or values that no picture has. */
import { counted, figure, finding } from '../findings.ts'
import type { MeasuredExamples } from '../evasion.ts'
import type { Finding } from '../verdict.ts'
import type { Rule } from './run.ts'

/** All that `greyLevels` looks at: it is known of a sticker too, which has no ball around it. */
interface Pixels {
  measured: Pick<MeasuredExamples, 'perturbation'> & Partial<Pick<MeasuredExamples, 'limit' | 'norm'>>
}

/** Images in 0..255 where 0..1 is meant, or multiplied on the way. */
export const greyLevels = ({ measured: { perturbation, limit, norm } }: Pixels): Finding | false =>
  perturbation.largest > 2 &&
  finding(
    'grey-levels',
    'These are grey levels, not pixels in [0, 1].',
    `Your pixels run from ${figure(perturbation.range[0])} to ${figure(perturbation.range[1])}. The model reads values from 0 to 1${
      norm === 'linf' && limit !== undefined
        ? `, so ε = ${limit} is about ${Math.round(255 * limit)} of 255 grey levels`
        : ''
    }.`,
    'stay in [0, 1]: no factor of 255 anywhere, and tf.clipByValue(…, 0, 1) at the end.',
  )

/** The same, seen on the way: what the model was asked about lay in 0..255, whatever came back in the end. */
export const askedInGreyLevels: Rule = ({ trace = [] }) => {
  const highest = trace.reduce((most, { values }) => Math.max(most, values.highest ?? 0), 0)
  return (
    highest > 2 &&
    finding(
      'grey-levels',
      'The model was asked about grey levels, not about pixels in [0, 1].',
      `The images that your program asked about reach up to ${figure(highest)}; the model knows values from 0 to 1 and answers nonsense beyond. The steps that followed were steps for other pictures.`,
      'leave x as data.sample() gives it: it is in [0, 1] already, and so is ε.',
    )
  )
}

/** Values that a picture cannot have. */
export const notClipped: Rule = ({ measured: { perturbation, bounds } }) =>
  perturbation.overshoot > 1e-6 &&
  finding(
    'not-clipped',
    'Pixels left the page.',
    `${counted(perturbation.outside, 'pixel')} in ${perturbation.rowsOutside} of ${perturbation.count} images lie outside [${bounds[0]}, ${bounds[1]}], the farthest by ${figure(perturbation.overshoot)}. No camera or scanner reports such a value, so this picture cannot exist.`,
    'end with tf.clipByValue(…, 0, 1).',
  )
