/**
 * What every label-flipping attack shares: the budget, the stealth limit, and the flip itself. An attack says
 * in which order rows are worth flipping; nothing else tells them apart.
 */
import { PerturbError } from '../core/errors.ts'
import { classCounts, copyRows, type LabelledRows } from '../data/labelled-rows.ts'
import type { NumberParameter, PoisoningResult } from './attack.ts'

export interface FlipBudget {
  /** Labels that may change, as a share of all rows; rounded down to whole rows. */
  share: number
  /** Stealth: no class gives up more than this share of its rows; 1 is no limit. */
  perClass: number
}

/**
 * Rows that a share of a number of rows means. A hundredth of 300 rows is 3, also where 0.01 · 300 falls just
 * short.
 */
export const wholeShare = (share: number, rows: number): number => Math.floor(share * rows + 1e-9)

/** Throws RangeError when a share is outside [0, 1]. */
export function checkShare(attack: string, name: string, value: number): void {
  if (!(value >= 0 && value <= 1))
    throw new RangeError(`${attack}: ${name} must be a share from 0 to 1; got ${value}`)
}

/** Throws RangeError unless the value is a class of the data, or −1, which means any. */
export function checkClass(attack: string, name: string, value: number, numClasses: number): void {
  if (!(Number.isInteger(value) && value >= -1 && value < numClasses))
    throw new RangeError(
      `${attack}: ${name} must be a class from 0 to ${numClasses - 1}, or −1 for any; got ${value}`,
    )
}

/**
 * Flips the labels of `ranked` rows (places, best first) until the budget is spent, skipping rows of a class
 * that may give up no more. `data` is untouched; a budget of 0 rows changes nothing and names nobody. Fewer
 * rows than the budget are flipped when there are no more to flip. Throws `bad-input` when a class would be
 * left without a row: no model could learn it, and everybody would notice.
 */
export function flipRows(
  attack: string,
  data: LabelledRows,
  ranked: Iterable<number>,
  newLabel: (place: number) => number,
  { share, perClass }: FlipBudget,
): PoisoningResult {
  const budget = wholeShare(share, data.ids.length)
  const before = classCounts(data)
  const left = before.map((count) => wholeShare(perClass, count))
  const flipped = copyRows(data)
  const poisoned: number[] = []
  for (const place of ranked) {
    if (poisoned.length >= budget) break
    const old = data.labels[place]!
    if (left[old]! <= 0) continue
    left[old]! -= 1
    flipped.labels[place] = newLabel(place)
    poisoned.push(data.ids[place]!)
  }
  const after = classCounts(flipped)
  const emptied = before.findIndex((count, k) => count > 0 && after[k] === 0)
  if (emptied >= 0)
    throw new PerturbError(
      'bad-input',
      `${attack}: ${poisoned.length} flips would leave class ${emptied} without a row; lower share, or perClass below 1`,
    )
  return { data: flipped, poisonedIds: Int32Array.from(poisoned).sort() }
}

export const shareKnob = (own: Partial<Omit<NumberParameter, 'kind' | 'name'>> = {}): NumberParameter => ({
  kind: 'number',
  name: 'share',
  label: 'Budget',
  help: 'How much of the training set may be changed. More does more harm, and is sooner noticed.',
  min: 0,
  max: 0.5,
  step: 0.005,
  unit: 'of all rows',
  scale: 'linear',
  ...own,
})

export const perClassKnob = (): NumberParameter => ({
  kind: 'number',
  name: 'perClass',
  label: 'At most of a class',
  help: 'Stealth: no class gives up more than this share of its rows, so that its size does not tell.',
  min: 0,
  max: 1,
  step: 0.05,
  unit: 'of its rows',
  scale: 'linear',
})

/** A class by number; −1 is any. */
export const classKnob = (name: string, label: string, help: string): NumberParameter => ({
  kind: 'number',
  name,
  label,
  help,
  min: -1,
  max: 99,
  step: 1,
  unit: '',
  scale: 'linear',
})
