/**
 * The adversarial patch: one sticker that changes what any picture is read as, wherever it lies and however it is lit.
 * Brown, Mané, Roy, Abadi, Gilmer 2017, "Adversarial Patch", §2, arXiv:1712.09665; the expectation over
 * transformations of Athalye, Engstrom, Ilyas, Kwok 2018, "Synthesizing Robust Adversarial Examples", §2.1 and §3,
 * arXiv:1707.07397.
 *
 * Threat model: white-box, one gradient a step; the attacker owns the pixels of the sticker, any value within the
 * bounds, and no other. Nothing else bounds the change.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { ascentSign, criterionLabels, type Criterion } from '../../core/criteria.ts'
import { PerturbError } from '../../core/errors.ts'
import {
  drawPlacements,
  pasteSticker,
  pullBack,
  type PictureShape,
  type PlacementRange,
} from '../../core/placement.ts'
import { createRng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext, type TraceStep } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult, NumberParameter } from '../attack.ts'
import { aboveZero, checkBatch, readOptions, wholeNumber } from '../check.ts'
import { stepsKnob } from '../knobs.ts'

export type AdversarialPatchOptions = {
  /** Height and width of the sticker in pixels. */
  side: number
  steps: number
  /** Adam's rate, in the units of x. */
  stepSize: number
  /** Pictures pasted on at each step, drawn from x with repetition. */
  batch: number
  /** Half-widths of the ranges that placements are drawn from: degrees, a share, pixels, a share. */
  rotation: number
  scale: number
  shift: number
  light: number
  /** Where the sticker is meant to lie, in pixels from the middle of the picture. */
  right: number
  down: number
}

const defaults: AdversarialPatchOptions = {
  side: 9,
  steps: 150,
  stepSize: 0.1,
  batch: 24,
  rotation: 20,
  scale: 0.15,
  shift: 3,
  light: 0.3,
  right: 0,
  down: 0,
}

/** Adam's constants (Kingma & Ba 2015, Alg. 1). */
const [beta1, beta2, tiny] = [0.9, 0.999, 1e-8]

export interface Patch {
  /** (side, side, channels), row-major. */
  pixels: Float32Array
  shape: PictureShape
  trace: TraceStep[]
}

/**
 * One sticker for all rows of x: (N, height, width, channels). Maximises the mean log-probability of the targets
 * (Brown et al., equation 1), or the loss of the true labels, over pictures and placements drawn at each step from
 * run.seed, by Adam on the sticker's pixels, which are pulled back into the bounds after every step. Starts from the
 * middle of the bounds. The trace holds the mean loss before each step. x is untouched; nothing is left on the device.
 * Throws RangeError when side, steps or batch is not a whole number above 0 or stepSize is not positive; `bad-input`
 * when x holds no pictures, the sticker is larger than they are, or the ranges make no sense.
 *
 * Differs from the papers: pixels are clipped to the bounds instead of written as a tanh. The sticker is kept in plain
 * numbers, and the pictures' gradient is read back at every step.
 */
export async function trainPatch(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<AdversarialPatchOptions>,
  run: RunContext,
): Promise<Patch> {
  const settings = readOptions(entry, options) as AdversarialPatchOptions
  const { side, steps, stepSize, batch } = settings
  wholeNumber(entry.id, 'side', side, 1)
  wholeNumber(entry.id, 'steps', steps, 1)
  aboveZero(entry.id, 'stepSize', stepSize)
  wholeNumber(entry.id, 'batch', batch, 1)
  const { picture, sticker } = shapesFor(victim, side)
  checkBatch(entry.id, victim, x, criterion)
  throwIfCancelled(run)

  const [low, high] = victim.bounds
  const pictures = Float32Array.from(await x.data())
  const size = picture[0] * picture[1] * picture[2]
  const labels = criterionLabels(criterion)
  const direction = ascentSign(criterion)
  const rng = createRng(run.seed, entry.id)
  const pixels = new Float32Array(side * side * picture[2]).fill((low + high) / 2)
  const mean = new Float64Array(pixels.length)
  const square = new Float64Array(pixels.length)
  const trace: TraceStep[] = []
  let [decay1, decay2] = [1, 1]
  for (let step = 0; step < steps && labels.length > 0; step++) {
    throwIfCancelled(run)
    const rows = Array.from({ length: batch }, () => rng.below(labels.length))
    const chosen = new Float32Array(batch * size)
    rows.forEach((row, i) => chosen.set(pictures.subarray(row * size, (row + 1) * size), i * size))
    const placements = drawPlacements(batch, rangeOf(settings), rng, settings)
    const pasted = pasteSticker(pixels, sticker, chosen, picture, placements)
    const { loss, gradient } = await askFor(
      victim,
      pasted,
      [batch, ...picture],
      rows.map((row) => labels[row]!),
    )
    const pulled = pullBack(gradient, picture, pixels, sticker, placements)
    decay1 *= beta1
    decay2 *= beta2
    for (let i = 0; i < pixels.length; i++) {
      const slope = pulled[i]! / batch
      mean[i] = beta1 * mean[i]! + (1 - beta1) * slope
      square[i] = beta2 * square[i]! + (1 - beta2) * slope * slope
      const move = mean[i]! / (1 - decay1) / (Math.sqrt(square[i]! / (1 - decay2)) + tiny)
      pixels[i] = Math.min(high, Math.max(low, pixels[i]! + direction * stepSize * move))
    }
    trace.push({ step, values: { loss } })
    run.onStep?.(step + 1, steps, { loss })
  }
  return { pixels, shape: sticker, trace }
}

/**
 * x: (N, height, width, channels) in the victim's bounds. Trains one sticker on all rows (see trainPatch) and gives
 * back the rows with it pasted on, each at a placement of its own from the same ranges. Returns a new tensor that the
 * caller disposes; x is untouched. An image that is misread already, one without contrast and a target that is its own
 * label are trained on and pasted over like any other. Throws as trainPatch does.
 */
export async function adversarialPatch(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<AdversarialPatchOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const settings = readOptions(entry, options) as AdversarialPatchOptions
  const { pixels, shape, trace } = await trainPatch(victim, x, criterion, options, run)
  const rng = createRng(run.seed, `${entry.id} result`)
  const placements = drawPlacements(x.shape[0]!, rangeOf(settings), rng, settings)
  const pictures = Float32Array.from(await x.data())
  const pasted = pasteSticker(
    pixels,
    shape,
    pictures,
    x.shape.slice(1) as unknown as PictureShape,
    placements,
  )
  return { adversarial: tf.tensor(pasted, x.shape), trace }
}

function shapesFor(
  { inputShape }: Pick<WhiteBoxAccess, 'inputShape'>,
  side: number,
): { picture: PictureShape; sticker: PictureShape } {
  const [height, width, channels] = inputShape
  if (inputShape.length !== 3)
    throw new PerturbError(
      'bad-input',
      `${entry.id}: a sticker needs pictures of (height, width, channels); the victim's inputs are (${inputShape.join(', ')})`,
    )
  if (side > Math.min(height!, width!))
    throw new PerturbError(
      'bad-input',
      `${entry.id}: the sticker must fit on a picture of ${height} × ${width}; got side ${side}`,
    )
  return { picture: [height!, width!, channels!], sticker: [side, side, channels!] }
}

const rangeOf = ({ rotation, scale, shift, light }: AdversarialPatchOptions): PlacementRange => ({
  rotation,
  scale,
  shift,
  light,
})

/** Mean loss and the gradient of its sum, as plain numbers. */
async function askFor(
  victim: WhiteBoxAccess,
  pixels: Float32Array,
  shape: number[],
  labels: number[],
): Promise<{ loss: number; gradient: Float32Array }> {
  const x = tf.tensor(pixels, shape, 'float32')
  const owned: tf.Tensor[] = [x]
  try {
    const answer = await victim.lossAndGradient(x, labels)
    owned.push(answer.loss, answer.gradient)
    const [losses, gradient] = await Promise.all([answer.loss.data(), answer.gradient.data()])
    const sum = Float32Array.from(losses).reduce((total, loss) => total + loss, 0)
    return { loss: sum / labels.length, gradient: Float32Array.from(gradient) }
  } finally {
    tf.dispose(owned)
  }
}

const pixelsKnob = (
  name: 'right' | 'down',
  own: Pick<NumberParameter, 'label' | 'help'>,
): NumberParameter => ({
  kind: 'number',
  name,
  min: -12,
  max: 12,
  step: 0.5,
  unit: 'px',
  scale: 'linear',
  ...own,
})
const share = (name: 'scale' | 'light', own: Pick<NumberParameter, 'label' | 'help'>): NumberParameter => ({
  kind: 'number',
  name,
  min: 0,
  max: 0.6,
  step: 0.05,
  unit: '',
  scale: 'linear',
  ...own,
})

export const entry: EvasionEntry = {
  id: 'adversarial-patch',
  title: 'Adversarial patch',
  summary:
    'Paint one sticker that is read as something else wherever it lies, by training it on many placements.',
  family: 'evasion',
  access: 'white-box',
  targeted: true,
  paper: { cite: 'Brown et al. 2017', url: 'https://arxiv.org/abs/1712.09665' },
  defaults,
  parameters: [
    {
      kind: 'number',
      name: 'side',
      label: 'Side of the sticker',
      help: 'How much of the picture the sticker may cover. More is stronger and easier to notice.',
      min: 3,
      max: 16,
      step: 1,
      unit: 'px',
      scale: 'linear',
    },
    stepsKnob({
      min: 10,
      max: 500,
      step: 10,
      help: 'How often the sticker is repainted, each time on other placements.',
    }),
    {
      kind: 'number',
      name: 'stepSize',
      label: 'Step size',
      symbol: 'α',
      help: 'How far a pixel of the sticker moves at one step.',
      min: 0.01,
      max: 0.5,
      step: 0.01,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'batch',
      label: 'Pictures a step',
      help: 'How many pictures, each with a placement of its own, one step looks at. More is steadier and slower.',
      min: 1,
      max: 64,
      step: 1,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'rotation',
      label: 'Turned by up to',
      help: 'The sticker is trained for every turn up to this one, to either side.',
      min: 0,
      max: 90,
      step: 5,
      unit: '°',
      scale: 'linear',
    },
    share('scale', {
      label: 'Resized by up to',
      help: 'The sticker is trained for every size up to this much larger or smaller.',
    }),
    {
      kind: 'number',
      name: 'shift',
      label: 'Moved by up to',
      help: 'The sticker is trained for every place up to this far from its spot, in both directions.',
      min: 0,
      max: 10,
      step: 0.5,
      unit: 'px',
      scale: 'linear',
    },
    share('light', {
      label: 'Lit by up to',
      help: 'The sticker is trained for light up to this much brighter or darker than the picture’s.',
    }),
    pixelsKnob('right', {
      label: 'Spot, to the right',
      help: 'Where the sticker lies, from the middle of the picture.',
    }),
    pixelsKnob('down', {
      label: 'Spot, downwards',
      help: 'Where the sticker lies, from the middle of the picture.',
    }),
  ],
  run: adversarialPatch,
}
