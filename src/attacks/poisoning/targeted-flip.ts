/**
 * Targeted label flips: rows of one class are labelled as another, so that the model learns to overlook that
 * class. Tolpegin, Truex, Gursoy, Liu 2020, "Data Poisoning Attacks Against Federated Learning Systems",
 * arXiv:2007.08432.
 *
 * Threat model: changes labels within a budget; knows the data, no model. `isolated` is the adaptive attack
 * against k-NN sanitation: it flips first the rows with the fewest neighbours of their own class, which after
 * the flip have nobody near who disagrees (ours).
 */
import { NeighbourIndex } from '../../core/neighbours.ts'
import { nextTask } from '../../core/platform.ts'
import { createRng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import { checkRows, placesOf, rowOf, rowSize, type LabelledRows } from '../../data/labelled-rows.ts'
import type { PoisoningEntry, PoisoningResult } from '../attack.ts'
import { readOptions, wholeNumber } from '../check.ts'
import { checkClass, checkShare, classKnob, flipRows, perClassKnob, shareKnob } from '../flips.ts'

export type TargetedFlipOptions = {
  /** Labels that change, as a share of all rows, rounded down. */
  share: number
  /** The class that gives rows up, and the one that gets them. */
  from: number
  to: number
  /** No class gives up more than this share of its rows. */
  perClass: number
  /** Which rows first: drawn blindly, or those with the fewest of their own among their nearest. */
  order: 'random' | 'isolated'
  /** How many nearest rows `isolated` looks at. */
  neighbours: number
}

const defaults: TargetedFlipOptions = {
  share: 0.05,
  from: 1,
  to: 0,
  perClass: 1,
  order: 'random',
  neighbours: 10,
}

/**
 * A share larger than the class flips what perClass allows of it. x is never touched. Neighbours are told by
 * Euclidean distance, so columns should be on one scale. Throws RangeError for a share outside [0, 1], for
 * classes that do not exist or are one and the same, and for neighbours below 1; `bad-input` for data that do
 * not fit and when the class would be left without a row.
 */
export async function targetedFlip(
  data: LabelledRows,
  options: Partial<TargetedFlipOptions>,
  run: RunContext,
): Promise<PoisoningResult> {
  const settings = readOptions(entry, options) as TargetedFlipOptions
  const { from, to, order, neighbours } = settings
  checkShare('targeted-flip', 'share', settings.share)
  checkShare('targeted-flip', 'perClass', settings.perClass)
  wholeNumber('targeted-flip', 'neighbours', neighbours, 1)
  checkRows('targeted-flip', data)
  for (const [name, value] of [
    ['from', from],
    ['to', to],
  ] as const)
    if (value === -1) throw new RangeError(`targeted-flip: ${name} must be a class; got −1, which is any`)
    else checkClass('targeted-flip', name, value, data.numClasses)
  if (from === to)
    throw new RangeError(`targeted-flip: from and to must be two classes; got ${from} for both`)
  throwIfCancelled(run)

  // Shuffled first, so that equals of the second order are drawn blindly.
  const places = createRng(run.seed, 'targeted-flip').shuffle(placesOf(data, from))
  const ranked = order === 'isolated' ? await mostIsolatedFirst(data, places, neighbours, run) : places
  return flipRows('targeted-flip', data, ranked, () => to, settings)
}

/** Rows by the number of their own class among their nearest, fewest first. */
async function mostIsolatedFirst(
  data: LabelledRows,
  places: readonly number[],
  neighbours: number,
  run: RunContext,
): Promise<number[]> {
  const index = new NeighbourIndex(data.x, rowSize(data))
  const company = new Map<number, number>()
  for (const [i, place] of places.entries()) {
    if (i % 64 === 0) {
      await nextTask()
      throwIfCancelled(run)
      run.onStep?.(i + 1, places.length)
    }
    const near = index.nearest(rowOf(data, place), neighbours, place).places
    company.set(place, near.filter((other) => data.labels[other] === data.labels[place]).length)
  }
  return [...places].sort((a, b) => company.get(a)! - company.get(b)!)
}

export const entry: PoisoningEntry = {
  id: 'targeted-flip',
  title: 'Targeted label flips',
  summary: 'Label rows of one class as another, so that the model learns to overlook it.',
  family: 'poisoning',
  takes: 'labelled-rows',
  access: 'data',
  paper: { cite: 'Tolpegin et al. 2020', url: 'https://arxiv.org/abs/2007.08432' },
  defaults,
  parameters: [
    shareKnob(),
    classKnob('from', 'From class', 'The class that is to be overlooked.'),
    classKnob('to', 'To class', 'What its rows are labelled as.'),
    perClassKnob(),
    {
      kind: 'choice',
      name: 'order',
      label: 'Which first',
      help: 'Blindly, or those that stand alone among other classes, where no neighbour tells on them.',
      choices: [
        { value: 'random', label: 'Any' },
        { value: 'isolated', label: 'Isolated ones' },
      ],
    },
    {
      kind: 'number',
      name: 'neighbours',
      label: 'Neighbours',
      symbol: 'k',
      help: 'How many of the nearest rows are looked at to find those that stand alone.',
      min: 1,
      max: 50,
      step: 1,
      unit: '',
      scale: 'linear',
    },
  ],
  run: targetedFlip,
}
