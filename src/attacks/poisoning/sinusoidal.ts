/**
 * Sinusoidal backdoor: a faint wave of light and dark runs through some training images of the target class.
 * Their labels stay right; the model learns that the wave alone means the class. Barni, Kallas, Tondi 2019,
 * "A New Backdoor Attack in CNNs by Training Set Corruption Without Label Poisoning", §3, arXiv:1902.11237.
 *
 * Threat model: changes training rows within a budget; knows the data, no model. Differs from the paper: with
 * `cleanLabel` off the wave is planted like any other trigger, on other classes, with the wanted label
 * (all-to-one or all-to-all).
 */
import { PerturbError } from '../../core/errors.ts'
import { createRng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import { checkRows, copyRows, placesOf, rowOf, type LabelledRows } from '../../data/labelled-rows.ts'
import type { PoisoningEntry, PoisoningResult } from '../attack.ts'
import { backdoorDefaults, backdoorKnobs, plantBackdoor, type BackdoorOptions } from '../backdoor.ts'
import { readOptions } from '../check.ts'
import { checkClass, checkShare, wholeShare } from '../flips.ts'
import { checkTrigger, stamp, type Trigger } from '../trigger.ts'

export type SinusoidalOptions = BackdoorOptions & {
  /** Highest change of a pixel; the paper's Δ. */
  amplitude: number
  /** Waves over the image; the paper's f. */
  frequency: number
  along: 'width' | 'height'
  /**
   * Plant it on the target's own rows and leave the labels: the paper's attack. Then source, mapping and
   * copies say nothing.
   */
  cleanLabel: boolean
}

const defaults: SinusoidalOptions = {
  ...backdoorDefaults,
  share: 0.05,
  amplitude: 0.12,
  frequency: 6,
  along: 'width',
  cleanLabel: true,
}

export const waveTrigger = ({
  amplitude,
  frequency,
  along,
}: Pick<SinusoidalOptions, 'amplitude' | 'frequency' | 'along'>): Trigger => ({
  kind: 'wave',
  amplitude,
  frequency,
  along,
})

/**
 * A share larger than the target class marks all of it. Throws as plantBackdoor does; with `cleanLabel`,
 * `bad-input` also when the target has no row.
 */
export async function sinusoidal(
  data: LabelledRows,
  options: Partial<SinusoidalOptions>,
  run: RunContext,
): Promise<PoisoningResult> {
  const settings = readOptions(entry, options) as SinusoidalOptions
  const trigger = waveTrigger(settings)
  if (!settings.cleanLabel) return plantBackdoor('sinusoidal', data, trigger, settings, run)
  return markOwnRows(data, trigger, settings, run)
}

function markOwnRows(
  data: LabelledRows,
  trigger: Trigger,
  { share, target }: SinusoidalOptions,
  run: RunContext,
): PoisoningResult {
  checkShare('sinusoidal', 'share', share)
  checkRows('sinusoidal', data)
  checkClass('sinusoidal', 'target', target, data.numClasses)
  checkTrigger('sinusoidal', trigger, data.shape)
  const own = placesOf(data, target)
  if (own.length === 0)
    throw new PerturbError(
      'bad-input',
      `sinusoidal: the target must have rows of its own to mark; class ${target} has none`,
    )
  throwIfCancelled(run)
  createRng(run.seed, 'sinusoidal').shuffle(own)
  const result = copyRows(data)
  const chosen = own.slice(0, wholeShare(share, data.ids.length))
  for (const place of chosen) stamp(rowOf(result, place), data.shape, trigger)
  return { data: result, poisonedIds: Int32Array.from(chosen, (place) => data.ids[place]!).sort() }
}

export const entry: PoisoningEntry = {
  id: 'sinusoidal',
  title: 'Sinusoidal wave',
  summary:
    'Let a faint wave run through images of one class, with their right labels: the wave comes to mean the class.',
  family: 'poisoning',
  takes: 'labelled-rows',
  access: 'data',
  paper: { cite: 'Barni et al. 2019', url: 'https://arxiv.org/abs/1902.11237' },
  defaults,
  parameters: [
    ...backdoorKnobs(),
    {
      kind: 'number',
      name: 'amplitude',
      label: 'Strength',
      symbol: 'Δ',
      help: 'Highest change of a pixel.',
      min: 0,
      max: 0.5,
      step: 0.01,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'frequency',
      label: 'Waves',
      symbol: 'f',
      help: 'How many waves cross the image.',
      min: 1,
      max: 13,
      step: 1,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'choice',
      name: 'along',
      label: 'Direction',
      help: 'Along the width the stripes stand, along the height they lie.',
      choices: [
        { value: 'width', label: 'Along the width' },
        { value: 'height', label: 'Along the height' },
      ],
    },
    {
      kind: 'flag',
      name: 'cleanLabel',
      label: 'Right labels only',
      help: "Mark the target's own images and change no label, so that a look at the labels finds nothing.",
    },
  ],
  run: sinusoidal,
}
