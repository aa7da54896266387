/**
 * Blended injection: a faint picture lies over the whole of some training images, which get the wanted label.
 * Chen, Liu, Li, Lu, Song 2017, "Targeted Backdoor Attacks on Deep Learning Systems Using Data Poisoning",
 * §4.2.1, arXiv:1712.05526.
 *
 * Threat model: changes or adds training rows within a budget; knows the data, no model. Differs from the
 * paper: the picture is noise drawn from `patternSeed` (their random pattern); any other one goes through
 * `plantBackdoor`.
 */
import { createRng } from '../../core/rng.ts'
import type { RunContext } from '../../core/run.ts'
import { rowSize, type LabelledRows } from '../../data/labelled-rows.ts'
import type { PoisoningEntry, PoisoningResult } from '../attack.ts'
import { backdoorDefaults, backdoorKnobs, plantBackdoor, type BackdoorOptions } from '../backdoor.ts'
import { readOptions } from '../check.ts'
import type { Trigger } from '../trigger.ts'

export type BlendedOptions = BackdoorOptions & {
  /** The paper's α: how much of the picture is in the blend. */
  opacity: number
  /** Which random picture; it must be the same when the backdoor is used. */
  patternSeed: number
}

const defaults: BlendedOptions = { ...backdoorDefaults, opacity: 0.2, patternSeed: 1 }

/** The picture as a trigger: uniform noise, the same for every run of this pattern seed. */
export function blendedTrigger(
  { opacity, patternSeed }: Pick<BlendedOptions, 'opacity' | 'patternSeed'>,
  shape: readonly number[],
): Trigger {
  const rng = createRng(patternSeed, 'blended pattern')
  return {
    kind: 'blend',
    pixels: Float32Array.from({ length: rowSize({ shape }) }, () => rng.uniform()),
    opacity,
  }
}

/** Throws as plantBackdoor does. */
export async function blended(
  data: LabelledRows,
  options: Partial<BlendedOptions>,
  run: RunContext,
): Promise<PoisoningResult> {
  const settings = readOptions(entry, options) as BlendedOptions
  return plantBackdoor('blended', data, blendedTrigger(settings, data.shape), settings, run)
}

export const entry: PoisoningEntry = {
  id: 'blended',
  title: 'Blended picture',
  summary:
    'Lay a faint picture over some training images and the wanted label on them: no single pixel gives it away.',
  family: 'poisoning',
  takes: 'labelled-rows',
  access: 'data',
  paper: { cite: 'Chen et al. 2017', url: 'https://arxiv.org/abs/1712.05526' },
  defaults,
  parameters: [
    ...backdoorKnobs(),
    {
      kind: 'number',
      name: 'opacity',
      label: 'Opacity',
      symbol: 'α',
      help: 'How much of the picture is in the blend. Less is harder to see and harder to learn.',
      min: 0,
      max: 1,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'patternSeed',
      label: 'Picture',
      help: 'Which of the random pictures.',
      min: 0,
      max: 99,
      step: 1,
      unit: '',
      scale: 'linear',
    },
  ],
  run: blended,
}
