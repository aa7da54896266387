/**
 * Random label flips: rows drawn blindly get a wrong label. The noise that every labelling has, and the
 * yardstick by which a poisoner is measured: Biggio, Nelson, Laskov 2011, "Support Vector Machines Under
 * Adversarial Label Noise" (ACML, PMLR 20:97–112).
 *
 * Threat model: changes labels within a budget; knows the data, no model.
 */
import { createRng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import { checkRows, type LabelledRows } from '../../data/labelled-rows.ts'
import type { PoisoningEntry, PoisoningResult } from '../attack.ts'
import { readOptions } from '../check.ts'
import { checkShare, flipRows, perClassKnob, shareKnob } from '../flips.ts'

export type RandomFlipOptions = {
  /** Labels that change, as a share of all rows, rounded down. */
  share: number
  /** No class gives up more than this share of its rows. */
  perClass: number
}

const defaults: RandomFlipOptions = { share: 0.05, perClass: 1 }

/**
 * Each drawn row gets one of the other classes, all equally likely. x is never touched. A share of 0 changes
 * nothing; of two classes a share of 1 exchanges them. Throws RangeError for a share outside [0, 1];
 * `bad-input` for data that do not fit (checkRows) and when a class would be left without a row.
 */
export async function randomFlip(
  data: LabelledRows,
  options: Partial<RandomFlipOptions>,
  run: RunContext,
): Promise<PoisoningResult> {
  const settings = readOptions(entry, options) as RandomFlipOptions
  checkShare('random-flip', 'share', settings.share)
  checkShare('random-flip', 'perClass', settings.perClass)
  checkRows('random-flip', data)
  throwIfCancelled(run)

  const rng = createRng(run.seed, 'random-flip')
  const ranked = rng.shuffle(Int32Array.from(data.ids.keys()))
  const otherLabel = (place: number) =>
    (data.labels[place]! + 1 + rng.below(data.numClasses - 1)) % data.numClasses
  return flipRows('random-flip', data, ranked, otherLabel, settings)
}

export const entry: PoisoningEntry = {
  id: 'random-flip',
  title: 'Random label flips',
  summary: 'Draw rows blindly and give each a wrong label: the noise that a cleverer poisoner has to beat.',
  family: 'poisoning',
  takes: 'labelled-rows',
  access: 'data',
  paper: { cite: 'Biggio et al. 2011', url: 'https://proceedings.mlr.press/v20/biggio11.html' },
  defaults,
  parameters: [shareKnob(), perClassKnob()],
  run: randomFlip,
}
