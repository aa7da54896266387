/**
 * Clean-label backdoor by adversarial perturbation: pictures of the target class are made hard to read, and a
 * sign is put on them. Their labels are right; but as the picture no longer says what it is, the learner
 * leans on the sign. Turner, Tsipras, Madry 2019, "Label-Consistent Backdoor Attacks", §4.2, arXiv:1912.02771
 * (first as "Clean-Label Backdoor Attacks", 2018).
 *
 * Threat model: changes pictures of the target class within a budget, no label; knows a surrogate, not the
 * victim. Differs from the paper: any patch from `patchTrigger`; the perturbation is our `pgd` with its L2 or
 * L∞ budget and no random start.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { PerturbError } from '../../core/errors.ts'
import { createRng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import { checkRows, copyRows, placesOf, rowOf, rowSize, type LabelledRows } from '../../data/labelled-rows.ts'
import type { PoisoningEntry, PoisoningResult } from '../attack.ts'
import { aboveZero, atLeastZero, readOptions, wholeNumber } from '../check.ts'
import { pgd } from '../evasion/pgd.ts'
import { checkClass, checkShare, classKnob, shareKnob, wholeShare } from '../flips.ts'
import { epsilonKnob, normKnob, stepSizeKnob, stepsKnob } from '../knobs.ts'
import { checkSurrogate } from '../surrogate.ts'
import { checkTrigger, stamp } from '../trigger.ts'
import { patchTrigger } from './badnets.ts'

export type AdversarialCleanLabelOptions = {
  /** Rows that become poison, as a share of all rows, rounded down. */
  share: number
  /** The class whose pictures are marked, and that the sign will lead to. */
  target: number
  /** How far a picture may move before the sign is put on, and how: as in pgd. */
  epsilon: number
  norm: 'linf' | 'l2'
  steps: number
  stepSize: number
  /** Side of the square patch in the bottom right corner, in pixels. */
  size: number
  /** How much of the picture the patch covers up; the paper's less visible triggers are fainter. */
  opacity: number
}

const defaults: AdversarialCleanLabelOptions = {
  share: 0.05,
  target: 7,
  epsilon: 0.3,
  norm: 'linf',
  steps: 20,
  stepSize: 0.03,
  size: 3,
  opacity: 1,
}

const rowsAtOnce = 128

/** The sign alone, as it is put on an input to be misread. */
export const cleanLabelTrigger = (
  { size, opacity }: Pick<AdversarialCleanLabelOptions, 'size' | 'opacity'>,
  shape: readonly number[],
) => patchTrigger({ size, opacity, corner: 'bottom-right', margin: 0, pattern: 'chequered', shade: 1 }, shape)

/**
 * The sign is put on after the perturbation, so under it the change may exceed epsilon. A share larger than
 * the class marks all of it. Throws RangeError as pgd does and for shares and classes that make no sense;
 * `bad-input` for data or a surrogate that do not fit, a trigger larger than the image, and a target without
 * rows.
 */
export async function adversarialCleanLabel(
  data: LabelledRows,
  surrogate: WhiteBoxAccess,
  options: Partial<AdversarialCleanLabelOptions>,
  run: RunContext,
): Promise<PoisoningResult> {
  const settings = readOptions(entry, options) as AdversarialCleanLabelOptions
  const { share, target, epsilon, norm, steps, stepSize } = settings
  const who = 'adversarial-clean-label'
  checkShare(who, 'share', share)
  atLeastZero(who, 'epsilon', epsilon)
  aboveZero(who, 'stepSize', stepSize)
  wholeNumber(who, 'steps', steps, 1)
  wholeNumber(who, 'size', settings.size, 1)
  checkRows(who, data)
  checkClass(who, 'target', target, data.numClasses)
  checkSurrogate(who, data, surrogate)
  const trigger = cleanLabelTrigger(settings, data.shape)
  checkTrigger(who, trigger, data.shape)
  const own = target === -1 ? [] : placesOf(data, target)
  if (own.length === 0)
    throw new PerturbError(
      'bad-input',
      `${who}: the target must have rows of its own to mark; class ${target} has none`,
    )
  throwIfCancelled(run)

  createRng(run.seed, who).shuffle(own)
  const chosen = own.slice(0, wholeShare(share, data.ids.length)).sort((a, b) => a - b)
  const size = rowSize(data)
  const result = copyRows(data)
  for (let from = 0; from < chosen.length; from += rowsAtOnce) {
    const places = chosen.slice(from, from + rowsAtOnce)
    const pixels = new Float32Array(places.length * size)
    places.forEach((place, i) => pixels.set(rowOf(data, place), i * size))
    const x = tf.tensor(pixels, [places.length, ...data.shape], 'float32')
    const owned = [x]
    try {
      const criterion = { kind: 'misclassification' as const, labels: places.map(() => target) }
      const { adversarial } = await pgd(
        surrogate,
        x,
        criterion,
        { epsilon, norm, steps, stepSize },
        {
          seed: run.seed + from,
          signal: run.signal,
        },
      )
      owned.push(adversarial)
      const values = await adversarial.data()
      places.forEach((place, i) => {
        const row = rowOf(result, place)
        row.set(values.subarray(i * size, (i + 1) * size) as Float32Array)
        stamp(row, data.shape, trigger)
      })
    } finally {
      tf.dispose(owned)
    }
    run.onStep?.(from + places.length, chosen.length)
  }
  return { data: result, poisonedIds: Int32Array.from(chosen, (place) => data.ids[place]!).sort() }
}

export const entry: PoisoningEntry = {
  id: 'adversarial-clean-label',
  title: 'Clean-label backdoor',
  summary:
    'Make pictures of one class hard to read and put a sign on them, with their right labels: the learner leans on the sign.',
  family: 'poisoning',
  takes: 'labelled-rows',
  access: 'surrogate',
  paper: { cite: 'Turner et al. 2019', url: 'https://arxiv.org/abs/1912.02771' },
  defaults,
  parameters: [
    shareKnob({ max: 0.2 }),
    classKnob('target', 'Target', 'The class whose pictures are marked.'),
    epsilonKnob({
      help: 'How far a picture may move before the sign is put on. More makes it harder to read.',
    }),
    normKnob(),
    stepsKnob(),
    stepSizeKnob(),
    {
      kind: 'number',
      name: 'size',
      label: 'Size of the sign',
      help: 'Side of the chequered patch in the bottom right corner.',
      min: 1,
      max: 16,
      step: 1,
      unit: 'pixels',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'opacity',
      label: 'Opacity of the sign',
      help: 'How much of the picture it covers up.',
      min: 0,
      max: 1,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
  ],
  run: adversarialCleanLabel,
}
