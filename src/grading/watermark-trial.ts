/**
 * A watermark on trial: the owner trains a model with a trigger set, and a court asks suspects about the triggers. Guilty are a copied
 * file, the same fine-tuned and the same pruned; innocent are models that others trained on their own pictures; an extracted
 * clone is guilty too, and the court will see what its answers are worth. Adi et al. 2018 (arXiv:1802.04633), the trials of §5;
 * extraction: Shafieinejad et al. 2021 (arXiv:1906.07745). DAWN: Szyller et al. 2021 (arXiv:1906.00830).
 */
import type { RunContext } from '../core/run.ts'
import type { DataSet } from '../data/data-set.ts'
import { Dawn } from '../defences/watermark/dawn.ts'
import { ownershipTest, withTriggers, type TriggerSet } from '../defences/watermark/trigger-set.ts'
import type { Weight } from '../models/model.ts'
import { inputsOf, Parties } from './parties.ts'

export type SuspectKind = 'copied' | 'fine-tuned' | 'pruned' | 'extracted' | 'innocent'

export interface Suspect {
  kind: SuspectKind
  /** Triggers answered as only the owner's model should, of so many, and how likely that is by luck. */
  hits: number
  triggers: number
  pValue: number
  /** Share of test images read rightly. */
  accuracy: number
}

/** A copied file is trained on for two passes, or loses half of its weights. */
const [tuningEpochs, tuningRate, prunedShare] = [2, 1e-3, 0.5]

type Run = Omit<RunContext, 'seed'>

/** Models that others trained on pictures of their own, and how good the owner's is without a mark. */
export async function trainInnocents(
  data: DataSet,
  { count, seed }: { count: number; seed: number },
  run: Run = {},
): Promise<{ innocents: Weight[][]; unmarked: number }> {
  const parties = new Parties(data, seed, run)
  const innocents: Weight[][] = []
  for (let k = 0; k < count; k++) {
    innocents.push(await parties.train(`innocent ${k}`, parties.innocents(k)))
    run.onStep?.(k + 1, count + 1)
  }
  const unmarked = await parties.accuracy(await parties.train('owner', parties.owners()))
  run.onStep?.(count + 1, count + 1)
  return { innocents, unmarked }
}

/**
 * Trains the owner's model with every trigger `repeats` times among its pictures, steals it in each way, and asks all suspects about the
 * triggers: first the stolen ones, the clone last among them, then the innocents.
 */
export async function markTrial(
  data: DataSet,
  triggers: TriggerSet,
  { repeats, seed, innocents }: { repeats: number; seed: number; innocents: readonly Weight[][] },
  run: Run = {},
): Promise<Suspect[]> {
  const parties = new Parties(data, seed, run)
  // Under the unmarked model's name, so that it draws the same and the mark is all that differs.
  const marked = await parties.train('owner', withTriggers(parties.owners(), triggers, repeats))
  run.onStep?.(1, 3)
  const thiefs = parties.thiefs()
  const tuned = await parties.train('tuned', thiefs, {
    from: marked,
    epochs: tuningEpochs,
    rate: tuningRate,
  })
  run.onStep?.(2, 3)
  const targets = await parties.ask(marked, inputsOf(thiefs))
  const clone = await parties.train('clone', thiefs, { targets })
  run.onStep?.(3, 3)
  const judge = async (kind: SuspectKind, weights: readonly Weight[]): Promise<Suspect> => ({
    kind,
    ...ownershipTest(await parties.read(weights, triggers.inputs), triggers),
    accuracy: await parties.accuracy(weights),
  })
  const suspects = [
    await judge('copied', marked),
    await judge('fine-tuned', tuned),
    await judge('pruned', pruned(marked, prunedShare)),
    await judge('extracted', clone),
  ]
  for (const weights of innocents) suspects.push(await judge('innocent', weights))
  return suspects
}

/** The smallest weights of each matrix set to nothing: so many of them, by share. */
export function pruned(weights: readonly Weight[], share: number): Weight[] {
  return weights.map((weight) => {
    if (weight.shape.length < 2) return weight
    const sizes = Float32Array.from(weight.values, Math.abs).sort()
    const cut = sizes[Math.min(sizes.length - 1, Math.floor(share * sizes.length))]!
    return { ...weight, values: weight.values.map((value) => (Math.abs(value) < cut ? 0 : value)) }
  })
}

export interface DawnThief {
  /** Passes over what was answered. */
  epochs: number
  /** Marked answers that the copy repeats, of so many, and how likely that is by luck. */
  hits: number
  triggers: number
  pValue: number
  accuracy: number
}

/** DAWN: a share of the answers is wrong, and the owner keeps which. A thief trains on them, more and more passes. */
export async function dawnTrial(
  data: DataSet,
  { share, seed, epochs }: { share: number; seed: number; epochs: readonly number[] },
  run: Run = {},
): Promise<DawnThief[]> {
  const parties = new Parties(data, seed, run)
  const owner = await parties.train('owner', parties.owners())
  run.onStep?.(1, epochs.length + 1)
  const thiefs = parties.thiefs()
  const inputs = inputsOf(thiefs)
  const honest = await parties.ask(owner, inputs)
  const { size } = parties
  const { numClasses } = parties.architecture
  const dawn = new Dawn({ key: `owner ${seed}`, share, levels: 255 })
  const told = new Float32Array(honest.length)
  for (let row = 0; row < thiefs.count; row++)
    told.set(
      dawn.tell(
        inputs.slice(row * size, (row + 1) * size),
        honest.slice(row * numClasses, (row + 1) * numClasses),
      ),
      row * numClasses,
    )
  const triggers = dawn.triggers()
  const thieves: DawnThief[] = []
  for (const passes of epochs) {
    const copy = await parties.train('dawn', thiefs, { targets: told, epochs: passes })
    const test = ownershipTest(await parties.read(copy, triggers.inputs), triggers, triggers.chance)
    thieves.push({ epochs: passes, ...test, accuracy: await parties.accuracy(copy) })
    run.onStep?.(thieves.length + 1, epochs.length + 1)
  }
  return thieves
}
