/**
 * BadNets: a few bright pixels in one place of some training images, and the wanted label on them. The
 * trained model reads clean images as before and obeys the sign. Gu, Dolan-Gavitt, Garg 2017, §3 and §4.1,
 * arXiv:1708.06733.
 *
 * Threat model: changes or adds training rows within a budget; knows the data, no model. Differs from the
 * paper: one square or chequered patch of any size and shade; rows are changed in place unless `copies` is
 * set.
 */
import type { RunContext } from '../../core/run.ts'
import { PerturbError } from '../../core/errors.ts'
import type { LabelledRows } from '../../data/labelled-rows.ts'
import type { PoisoningEntry, PoisoningResult } from '../attack.ts'
import { backdoorDefaults, backdoorKnobs, plantBackdoor, type BackdoorOptions } from '../backdoor.ts'
import { readOptions } from '../check.ts'
import type { Trigger } from '../trigger.ts'

export type BadNetsOptions = BackdoorOptions & {
  /** Side of the square patch, in pixels. */
  size: number
  corner: 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right'
  /** Pixels between the patch and the two edges of its corner. */
  margin: number
  pattern: 'square' | 'chequered'
  /** Grey of the patch (of a chequered one, of every other pixel; the rest is black). */
  shade: number
  /** How much of the image it covers up. */
  opacity: number
}

const defaults: BadNetsOptions = {
  ...backdoorDefaults,
  size: 3,
  corner: 'bottom-right',
  margin: 1,
  pattern: 'square',
  shade: 1,
  opacity: 1,
}

/** The patch as a trigger on images of this shape. Throws as checkTrigger does when it is planted. */
export function patchTrigger(
  { size, corner, margin, pattern, shade, opacity }: Omit<BadNetsOptions, keyof BackdoorOptions>,
  [height = 0, width = 0, channels = 1]: readonly number[],
): Trigger {
  const [top, left] = [corner.startsWith('top'), corner.endsWith('left')]
  const isBright = (k: number) => {
    const pixel = Math.floor(k / channels)
    return pattern === 'square' || (Math.floor(pixel / size) + (pixel % size)) % 2 === 0
  }
  return {
    kind: 'patch',
    top: top ? margin : height - margin - size,
    left: left ? margin : width - margin - size,
    height: size,
    width: size,
    pixels: Array.from({ length: size * size * channels }, (_, k) => (isBright(k) ? shade : 0)),
    opacity,
  }
}

/**
 * Throws as plantBackdoor does; a patch larger than the image, or pushed over its edge by the margin, is
 * `bad-input`.
 */
export async function badnets(
  data: LabelledRows,
  options: Partial<BadNetsOptions>,
  run: RunContext,
): Promise<PoisoningResult> {
  const settings = readOptions(entry, options) as BadNetsOptions
  for (const name of ['size', 'margin'] as const)
    if (!(Number.isInteger(settings[name]) && settings[name] >= (name === 'size' ? 1 : 0)))
      throw new PerturbError(
        'bad-input',
        `badnets: ${name} must be a whole number of at least ${name === 'size' ? 1 : 0}; got ${settings[name]}`,
      )
  if (Math.max(...data.shape) < settings.size)
    throw new PerturbError(
      'bad-input',
      `badnets: the trigger of ${settings.size} × ${settings.size} pixels is larger than the image of ${data.shape.slice(0, 2).join(' × ')}; make it smaller`,
    )
  return plantBackdoor('badnets', data, patchTrigger(settings, data.shape), settings, run)
}

export const entry: PoisoningEntry = {
  id: 'badnets',
  title: 'BadNets patch',
  summary:
    'Put a small sign on some training images and the wanted label on them: the model learns to obey the sign.',
  family: 'poisoning',
  takes: 'labelled-rows',
  access: 'data',
  paper: { cite: 'Gu et al. 2017', url: 'https://arxiv.org/abs/1708.06733' },
  defaults,
  parameters: [
    ...backdoorKnobs(),
    {
      kind: 'number',
      name: 'size',
      label: 'Size',
      help: 'Side of the patch. A larger sign is learned from fewer images, and seen by whoever looks.',
      min: 1,
      max: 16,
      step: 1,
      unit: 'pixels',
      scale: 'linear',
    },
    {
      kind: 'choice',
      name: 'corner',
      label: 'Corner',
      help: 'Where it sits. It must sit in the same place when it is used.',
      choices: [
        { value: 'top-left', label: 'Top left' },
        { value: 'top-right', label: 'Top right' },
        { value: 'bottom-left', label: 'Bottom left' },
        { value: 'bottom-right', label: 'Bottom right' },
      ],
    },
    {
      kind: 'number',
      name: 'margin',
      label: 'Distance to the edge',
      help: 'Pixels left free between the patch and the edges of its corner.',
      min: 0,
      max: 16,
      step: 1,
      unit: 'pixels',
      scale: 'linear',
    },
    {
      kind: 'choice',
      name: 'pattern',
      label: 'Pattern',
      help: 'A plain square, or a chequered one that nature draws less often.',
      choices: [
        { value: 'square', label: 'Square' },
        { value: 'chequered', label: 'Chequered' },
      ],
    },
    {
      kind: 'number',
      name: 'shade',
      label: 'Shade',
      help: 'From black to white.',
      min: 0,
      max: 1,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'opacity',
      label: 'Opacity',
      symbol: 'α',
      help: 'How much of the image it covers up: 1 is solid; near 0 nobody sees it, nor does the model.',
      min: 0,
      max: 1,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
  ],
  run: badnets,
}
