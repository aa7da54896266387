/**
 * A watermark by trigger set: the owner trains the model to answer a secret set of inputs with labels drawn by lot. A copied model
 * gives the same wrong answers; one that was trained elsewhere hits them by luck, and how much luck that takes can be counted.
 * Adi, Baum, Cisse, Pinkas, Keshet 2018, "Turning your weakness into a strength: watermarking deep neural networks by backdooring",
 * arXiv:1802.04633; Zhang et al. 2018, "Protecting intellectual property of deep neural networks with watermarking" (unrelated
 * pictures and noise as triggers), ASIA CCS.
 *
 * Survives fine-tuning and pruning of a copied file. Does not survive extraction: a thief who never asks about the triggers learns
 * nothing of them (Shafieinejad et al. 2021, arXiv:1906.07745; Szyller et al. 2021, arXiv:1906.00830).
 */
import { PerturbError } from '../../core/errors.ts'
import { createRng } from '../../core/rng.ts'
import { betaCdf } from '../../core/statistics.ts'
import * as tf from '../../core/tf.ts'
import type { Split } from '../../data/data-set.ts'

export interface TriggerSet {
  /** Row-major, a whole number of inputs. */
  inputs: Float32Array
  /** One class an input, every class equally likely whatever the input shows. */
  labels: Uint8Array
  numClasses: number
}

const fail = (what: string) => new PerturbError('bad-input', `trigger-set: ${what}`)

/**
 * `count` of these inputs (row-major, `size` numbers each), chosen and labelled by the seed, which is the owner's secret. Inputs that have
 * nothing to do with the task spoil it least. Throws `bad-input` for fewer inputs than asked for, or numbers that are not finite.
 */
export function createTriggerSet(
  inputs: Float32Array,
  size: number,
  { count, numClasses, seed }: { count: number; numClasses: number; seed: number },
): TriggerSet {
  const rows = inputs.length / size
  if (!Number.isInteger(rows))
    throw fail(`expected inputs of ${size} numbers each; got ${inputs.length} numbers`)
  if (!(Number.isInteger(count) && count >= 1 && count <= rows))
    throw fail(`count must be a whole number from 1 to the ${rows} inputs there are; got ${count}`)
  if (!(Number.isInteger(numClasses) && numClasses >= 2 && numClasses <= 256))
    throw fail(`numClasses must be a whole number from 2 to 256; got ${numClasses}`)
  if (!inputs.every(Number.isFinite))
    throw fail('inputs hold a number that is not finite; leave that input out')
  const chosen = createRng(seed, 'trigger inputs')
    .shuffle(Array.from({ length: rows }, (_, row) => row))
    .slice(0, count)
  const set = new Float32Array(count * size)
  for (const [i, row] of chosen.entries()) set.set(inputs.subarray(row * size, (row + 1) * size), i * size)
  const rng = createRng(seed, 'trigger labels')
  return { inputs: set, labels: Uint8Array.from({ length: count }, () => rng.below(numClasses)), numClasses }
}

/** A training set with every trigger in it `repeats` times, behind the data's own rows: what the owner trains on. Throws `bad-input`. */
export function withTriggers(data: Split, triggers: TriggerSet, repeats: number): Split {
  const count = triggers.labels.length
  const size = triggers.inputs.length / count
  if (!(Number.isInteger(repeats) && repeats >= 1))
    throw fail(`repeats must be a whole number of at least 1; got ${repeats}`)
  const one = data.pixels([0])
  if (one.length !== size) throw fail(`triggers must be like the data, of ${one.length} numbers; got ${size}`)
  const labels = new Uint8Array(data.count + count * repeats)
  labels.set(data.labels)
  for (let turn = 0; turn < repeats; turn++) labels.set(triggers.labels, data.count + turn * count)
  const pixels = (ids: ArrayLike<number>) => {
    const all = new Float32Array(ids.length * size)
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!
      const at = (id - data.count) % count
      all.set(
        id < data.count ? data.pixels([id]) : triggers.inputs.subarray(at * size, (at + 1) * size),
        i * size,
      )
    }
    return all
  }
  const shape = (() => {
    const image = data.images([0])
    image.dispose()
    return image.shape.slice(1)
  })()
  return {
    count: labels.length,
    labels,
    pixels,
    images: (ids) => tf.tensor(pixels(ids), [ids.length, ...shape]),
  }
}

export interface OwnershipTest {
  hits: number
  triggers: number
  /** How likely as many hits or more are for a model that has nothing to do with the owner's: exact, one-sided binomial. */
  pValue: number
}

/**
 * A suspect's top classes for the triggers, against their labels. `chance`: how likely an innocent model hits one label, 1 / numClasses
 * when labels were drawn evenly, which holds for any model that was made without them; for labels that were not drawn by lot, measure it on
 * independent models. Throws `bad-input` when there is not one answer a trigger, or chance is not between 0 and 1.
 */
export function ownershipTest(
  read: ArrayLike<number>,
  { labels, numClasses }: Pick<TriggerSet, 'labels' | 'numClasses'>,
  chance = 1 / numClasses,
): OwnershipTest {
  if (read.length !== labels.length)
    throw fail(`expected one answer for each of the ${labels.length} triggers; got ${read.length}`)
  const hits = Array.from(labels).filter((label, i) => read[i] === label).length
  return { hits, triggers: labels.length, pValue: luck(hits, labels.length, chance) }
}

/** P(at least `hits` of `triggers`) when each is hit with this chance. */
export function luck(hits: number, triggers: number, chance: number): number {
  if (!(chance > 0 && chance < 1)) throw fail(`chance must lie between 0 and 1; got ${chance}`)
  if (!(Number.isInteger(triggers) && triggers >= 1))
    throw fail(`at least one trigger is needed; got ${triggers}`)
  if (!(Number.isInteger(hits) && hits >= 0 && hits <= triggers))
    throw fail(`hits must be a whole number from 0 to ${triggers}; got ${hits}`)
  return hits === 0 ? 1 : betaCdf(chance, hits, triggers - hits + 1)
}

/**
 * What accusing everyone below `alpha` means: how many hits it takes, and which share of innocent models is accused all the same. Hits
 * are whole, so the share lies below alpha. `hits` is undefined, and nobody is ever accused, when even all hits are not enough.
 */
export function falseAccusations(
  alpha: number,
  triggers: number,
  chance: number,
): { hits: number | undefined; rate: number } {
  if (!(alpha > 0 && alpha < 1)) throw fail(`alpha must lie between 0 and 1; got ${alpha}`)
  for (let hits = 0; hits <= triggers; hits++) {
    const rate = luck(hits, triggers, chance)
    if (rate < alpha) return { hits, rate }
  }
  return { hits: undefined, rate: 0 }
}
