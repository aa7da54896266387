/**
 * DAWN: instead of marking the model, mark its answers. A few rows, picked by a keyed hash of the input, are answered with a wrong class, the
 * same one whenever the same row comes; whoever trains on the answers learns these too, and the owner has kept them.
 * Szyller, Atli, Marchal, Asokan 2021, "DAWN: dynamic adversarial watermarking of neural networks", §4, arXiv:1906.00830.
 *
 * The price is `share` of everybody's answers. A thief who stops training early, or asks twice about rows a little apart and drops what
 * disagrees, learns none of them.
 *
 * Differs from the paper: nearby inputs count as the same by rounding, not by an embedding.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import type { ScoreOracle } from '../../core/classifier.ts'
import { PerturbError } from '../../core/errors.ts'
import { indexOfMax } from '../../core/rows.ts'
import * as tf from '../../core/tf.ts'
import type { TriggerSet } from './trigger-set.ts'

export interface DawnRule {
  /** The owner's secret. */
  key: string
  /** Of all rows, how many are answered wrongly, 0 to 1. */
  share: number
  /** Steps from 0 to 1 that an input is rounded to before it is hashed. */
  levels: number
}

export class Dawn {
  readonly #rule: DawnRule
  readonly #marked = new Map<string, { input: Float32Array; label: number }>()
  #numClasses = 0

  /** Throws `bad-input` for a share outside [0, 1] or levels that are no whole number of at least 1. */
  constructor(rule: DawnRule) {
    if (!(rule.share >= 0 && rule.share <= 1))
      throw new PerturbError('bad-input', `dawn: share must lie between 0 and 1; got ${rule.share}`)
    if (!(Number.isInteger(rule.levels) && rule.levels >= 1))
      throw new PerturbError(
        'bad-input',
        `dawn: levels must be a whole number of at least 1; got ${rule.levels}`,
      )
    this.#rule = rule
  }

  /** What is told for one input: its probabilities, or with the first class's traded for another's, which is then kept. */
  tell(input: Float32Array, probabilities: Float32Array): Float32Array {
    const { key, share, levels } = this.#rule
    const rounded = Int32Array.from(input, (value) => Math.round(value * levels))
    const digest = hmac(sha256, utf8ToBytes(key), new Uint8Array(rounded.buffer))
    const words = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
    this.#numClasses = probabilities.length
    const told = Float32Array.from(probabilities)
    if (!(words.getUint32(0) < share * 2 ** 32)) return told
    const top = indexOfMax(probabilities)
    const label = (top + 1 + (words.getUint32(4) % (probabilities.length - 1))) % probabilities.length
    ;[told[top], told[label]] = [told[label]!, told[top]!]
    this.#marked.set(rounded.join(), { input: Float32Array.from(input), label })
    return told
  }

  /**
   * The rows that were answered wrongly so far, as a trigger set. An innocent model gives the wrong class with chance
   * 1 / (numClasses − 1) at most: hand that to `ownershipTest`.
   */
  triggers(): TriggerSet & { chance: number } {
    const all = [...this.#marked.values()]
    const width = all[0]?.input.length ?? 0
    const inputs = new Float32Array(all.length * width)
    for (const [i, { input }] of all.entries()) inputs.set(input, i * width)
    const labels = Uint8Array.from(all, ({ label }) => label)
    return { inputs, labels, numClasses: this.#numClasses, chance: 1 / (this.#numClasses - 1) }
  }
}

/** The oracle with marked answers; its ledger counts as before. Its classes must be at least three, so that a wrong one can be drawn. */
export function markedOracle(oracle: ScoreOracle, dawn: Dawn): ScoreOracle {
  const { inputShape, numClasses, bounds } = oracle
  if (!(numClasses >= 3))
    throw new PerturbError(
      'bad-input',
      `dawn: needs at least three classes to draw a wrong one from; got ${numClasses}`,
    )
  return {
    inputShape,
    numClasses,
    bounds,
    async scores(x) {
      const scores = await oracle.scores(x)
      try {
        const [inputs, answers] = [(await x.data()) as Float32Array, (await scores.data()) as Float32Array]
        const size = inputs.length / x.shape[0]!
        const told = new Float32Array(answers.length)
        for (let row = 0; row < x.shape[0]!; row++)
          told.set(
            dawn.tell(
              inputs.slice(row * size, (row + 1) * size),
              answers.slice(row * numClasses, (row + 1) * numClasses),
            ),
            row * numClasses,
          )
        return tf.tensor(told, scores.shape)
      } finally {
        scores.dispose()
      }
    },
  }
}
