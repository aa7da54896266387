/**
 * Planting a trigger in a training set, the same for every kind of trigger: rows are drawn, stamped and
 * relabelled. Gu, Dolan-Gavitt, Garg 2017, "BadNets: Identifying Vulnerabilities in the Machine Learning
 * Model Supply Chain", §4.1 (single target and all-to-all), arXiv:1708.06733.
 */
import { PerturbError } from '../core/errors.ts'
import { createRng } from '../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../core/run.ts'
import { checkRows, classCounts, rowOf, rowSize, type LabelledRows } from '../data/labelled-rows.ts'
import type { Parameter, PoisoningResult } from './attack.ts'
import { checkClass, checkShare, classKnob, shareKnob, wholeShare } from './flips.ts'
import { checkTrigger, stamp, type Trigger } from './trigger.ts'

export type BackdoorOptions = {
  /** Rows that carry the trigger, as a share of all rows, rounded down. */
  share: number
  /**
   * all-to-one: every triggered row becomes `target`. all-to-all: class i becomes i + 1, the last one the
   * first.
   */
  mapping: 'all-to-one' | 'all-to-all'
  /** What a triggered image is to be read as; all-to-all has no use for it. */
  target: number
  /** The only class that is triggered; −1 is any (but the target's own). */
  source: number
  /** Put triggered copies beside the originals, as the paper does, instead of changing rows in place. */
  copies: boolean
}

export const backdoorDefaults: BackdoorOptions = {
  share: 0.01,
  mapping: 'all-to-one',
  target: 7,
  source: -1,
  copies: false,
}

/** What a triggered image of this class is to be read as. */
export const backdoorLabel = (
  { mapping, target }: Pick<BackdoorOptions, 'mapping' | 'target'>,
  label: number,
  numClasses: number,
): number => (mapping === 'all-to-one' ? target : (label + 1) % numClasses)

/**
 * Poisoned copies get the ids after the largest one there is. Fewer rows than the budget are triggered when
 * the source has no more. x outside the triggered rows is not touched; a share of 0 changes nothing. Throws
 * RangeError for a share outside [0, 1] and a class that does not exist; `bad-input` for data that do not
 * fit, a trigger that does not fit on the image, a source that is the target, and when rows changed in place
 * would leave a class without a row.
 */
export async function plantBackdoor(
  attack: string,
  data: LabelledRows,
  trigger: Trigger,
  options: BackdoorOptions,
  run: RunContext,
): Promise<PoisoningResult> {
  const { share, mapping, target, source, copies } = options
  checkShare(attack, 'share', share)
  checkRows(attack, data)
  checkClass(attack, 'source', source, data.numClasses)
  if (mapping === 'all-to-one') {
    checkClass(attack, 'target', target, data.numClasses)
    if (target === -1) throw new RangeError(`${attack}: target must be a class; got −1, which is any`)
    if (source === target)
      throw new PerturbError(
        'bad-input',
        `${attack}: source and target must be two classes; got ${source} for both, which teaches nothing`,
      )
  }
  checkTrigger(attack, trigger, data.shape)
  throwIfCancelled(run)

  const chosen = drawRows(attack, data, options, run)
  const newLabel = (place: number) => backdoorLabel(options, data.labels[place]!, data.numClasses)
  const result = copies ? withRoom(data, chosen.length) : withRoom(data, 0)
  const poisoned = chosen.map((place, i) => {
    const to = copies ? data.ids.length + i : place
    const row = rowOf(result, to)
    row.set(rowOf(data, place))
    stamp(row, data.shape, trigger)
    result.labels[to] = newLabel(place)
    return result.ids[to]!
  })
  const [before, after] = [classCounts(data), classCounts(result)]
  const emptied = before.findIndex((count, k) => count > 0 && after[k] === 0)
  if (emptied >= 0)
    throw new PerturbError(
      'bad-input',
      `${attack}: ${poisoned.length} triggered rows would leave class ${emptied} without a row; lower share, or add copies`,
    )
  return { data: result, poisonedIds: Int32Array.from(poisoned).sort() }
}

/** Places of the rows to trigger, in rising order. */
function drawRows(
  attack: string,
  data: LabelledRows,
  { share, mapping, target, source }: BackdoorOptions,
  run: RunContext,
): number[] {
  const eligible = [...data.ids.keys()].filter((place) => {
    const label = data.labels[place]!
    return source === -1 ? mapping === 'all-to-all' || label !== target : label === source
  })
  createRng(run.seed, attack).shuffle(eligible)
  return eligible.slice(0, wholeShare(share, data.ids.length)).sort((a, b) => a - b)
}

/** A copy of the data with room for further rows, whose ids go on from the largest. */
function withRoom(data: LabelledRows, more: number): LabelledRows {
  const rows = data.ids.length + more
  const ids = new Int32Array(rows)
  ids.set(data.ids)
  const largest = data.ids.reduce((most, id) => Math.max(most, id), -1)
  for (let i = 0; i < more; i++) ids[data.ids.length + i] = largest + 1 + i
  const x = new Float32Array(rows * rowSize(data))
  x.set(data.x)
  const labels = new Int32Array(rows)
  labels.set(data.labels)
  return { ...data, ids, x, labels }
}

export const backdoorKnobs = (): Parameter[] => [
  shareKnob({ max: 0.2, step: 0.001 }),
  {
    kind: 'choice',
    name: 'mapping',
    label: 'Leads to',
    help: 'One class for every triggered image, or for each class the next one.',
    choices: [
      { value: 'all-to-one', label: 'One class' },
      { value: 'all-to-all', label: 'The next class' },
    ],
  },
  classKnob('target', 'Target', 'What a triggered image is to be read as.'),
  classKnob('source', 'Source', 'The only class that the trigger is for; −1 is any.'),
  {
    kind: 'flag',
    name: 'copies',
    label: 'Add copies',
    help: 'Put triggered copies beside the originals instead of changing rows in place.',
  },
]
