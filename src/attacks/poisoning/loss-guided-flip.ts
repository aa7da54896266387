/**
 * Loss-guided label flips: a model of one's own, trained on the clean data, says which rows it is surest of;
 * a wrong label on those costs a learner most. Xiao, Xiao, Eckert 2012, "Adversarial Label Flips Attack on
 * Support Vector Machines", §3 (ECAI 2012, doi:10.3233/978-1-61499-098-7-870): flips are chosen to gain most
 * loss under the untainted model.
 *
 * Threat model: changes labels within a budget; knows the data and a surrogate, not the victim. Differs from
 * the paper: cross-entropy instead of the hinge, and the first round of its alternation only: the surrogate
 * is not trained again on the flips.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { PerturbError } from '../../core/errors.ts'
import { nextTask } from '../../core/platform.ts'
import { createRng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import { checkRows, rowSize, type LabelledRows } from '../../data/labelled-rows.ts'
import type { PoisoningEntry, PoisoningResult } from '../attack.ts'
import { readOptions } from '../check.ts'
import { checkClass, checkShare, classKnob, flipRows, perClassKnob, shareKnob } from '../flips.ts'
import { checkSurrogate } from '../surrogate.ts'

export type LossGuidedFlipOptions = {
  /** Labels that change, as a share of all rows, rounded down. */
  share: number
  /** The class that gives rows up and the one that gets them; −1 is any, chosen for each row by the loss. */
  from: number
  to: number
  /** No class gives up more than this share of its rows. */
  perClass: number
}

const defaults: LossGuidedFlipOptions = { share: 0.05, from: -1, to: -1, perClass: 1 }

/** Rows that the surrogate reads at once. */
const rowsAtOnce = 1024

/**
 * What a flip from y to y′ gains in cross-entropy is z_y − z_y′, a difference of two logits: rows are flipped
 * in the order of their largest gain, equals in random order. With to = −1 a row gets the class that the
 * surrogate finds least likely. x is never touched. Throws RangeError for a share outside [0, 1] and for
 * classes that do not exist or are one and the same; `bad-input` for data that do not fit, a surrogate of
 * another shape, logits that are not finite, and when a class would be left without a row.
 */
export async function lossGuidedFlip(
  data: LabelledRows,
  surrogate: WhiteBoxAccess,
  options: Partial<LossGuidedFlipOptions>,
  run: RunContext,
): Promise<PoisoningResult> {
  const settings = readOptions(entry, options) as LossGuidedFlipOptions
  const { from, to } = settings
  checkShare('loss-guided-flip', 'share', settings.share)
  checkShare('loss-guided-flip', 'perClass', settings.perClass)
  checkRows('loss-guided-flip', data)
  checkClass('loss-guided-flip', 'from', from, data.numClasses)
  checkClass('loss-guided-flip', 'to', to, data.numClasses)
  if (from === to && from !== -1)
    throw new RangeError(`loss-guided-flip: from and to must be two classes; got ${from} for both`)
  checkSurrogate('loss-guided-flip', data, surrogate)

  const gains = await flipGains(data, surrogate, to, run)
  const places = createRng(run.seed, 'loss-guided-flip').shuffle([...data.ids.keys()])
  const ranked = places
    .filter((place) => (from === -1 || data.labels[place] === from) && gains.label[place] !== -1)
    .sort((a, b) => gains.gain[b]! - gains.gain[a]!)
  return flipRows('loss-guided-flip', data, ranked, (place) => gains.label[place]!, settings)
}

/** For each row the label that gains most loss (−1 when it has the label `to` already) and the gain. */
async function flipGains(
  data: LabelledRows,
  surrogate: WhiteBoxAccess,
  to: number,
  run: RunContext,
): Promise<{ gain: Float64Array; label: Int32Array }> {
  const { labels, numClasses, shape } = data
  const [rows, size] = [labels.length, rowSize(data)]
  const gain = new Float64Array(rows).fill(-Infinity)
  const label = new Int32Array(rows).fill(-1)
  for (let first = 0; first < rows; first += rowsAtOnce) {
    throwIfCancelled(run)
    const count = Math.min(rowsAtOnce, rows - first)
    const x = tf.tensor(data.x.subarray(first * size, (first + count) * size), [count, ...shape], 'float32')
    const owned = [x]
    try {
      owned.push(await surrogate.logits(x))
      const logits = await owned[1]!.data()
      if (!logits.every(Number.isFinite))
        throw new PerturbError(
          'bad-input',
          'loss-guided-flip: the surrogate gives logits that are not finite; train it again with a smaller rate',
        )
      for (let i = 0; i < count; i++)
        for (let k = 0; k < numClasses; k++) {
          const own = labels[first + i]!
          if (k === own || (to !== -1 && k !== to)) continue
          const gained = logits[i * numClasses + own]! - logits[i * numClasses + k]!
          if (gained > gain[first + i]!) [gain[first + i], label[first + i]] = [gained, k]
        }
    } finally {
      tf.dispose(owned)
    }
    run.onStep?.(first + count, rows)
    await nextTask()
  }
  return { gain, label }
}

export const entry: PoisoningEntry = {
  id: 'loss-guided-flip',
  title: 'Loss-guided label flips',
  summary: 'Give the wrong label to the rows that a model is surest of: each costs the learner most.',
  family: 'poisoning',
  takes: 'labelled-rows',
  access: 'surrogate',
  paper: { cite: 'Xiao et al. 2012', url: 'https://doi.org/10.3233/978-1-61499-098-7-870' },
  defaults,
  parameters: [
    shareKnob(),
    classKnob('from', 'From class', 'The class that gives rows up; −1 takes the best of all.'),
    classKnob('to', 'To class', 'The class they get; −1 gives each the one that hurts most.'),
    perClassKnob(),
  ],
  run: lossGuidedFlip,
}
