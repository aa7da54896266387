import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { PerturbError } from './errors.ts'
import type { TraceStep } from './run.ts'

/** What is counted, in words that evidence shows. */
export type Counted = 'logits' | 'gradient' | 'scores' | 'decisions' | 'training'

/** What a ledger says of a run; counted outside the sandbox. */
export interface LedgerSummary {
  /** Rows answered, by capability: gradient, logits, scores, decisions, training. */
  rows: Record<string, number>
  calls: number
  refused: number
  maxQueries?: number
  /** SHA-256 over the sequence of calls (capability, rows, digest of inputs). */
  transcriptDigest: string
  /** What the surrogate that the program trained was shown: rows in all, and those that nobody had answered. Never counted above. */
  learned?: { rows: number; unanswered: number }
  /** Accounts that asked, and how many of them the victim's watch closed; absent when nobody watches. */
  accounts?: { used: number; closed: number }
  /** What the run's gradients were asked about, step by step, when the engine watched. Never hashed, never counted. */
  trace?: TraceStep[]
}

/**
 * Counts what a program asks of a model: one query is one row, whatever the batch. It is charged
 * *before* the answer is computed, so a spent budget never leaks one. The transcript is a hash chain:
 * two runs with the same digest asked the same questions in the same order.
 */
export class QueryLedger {
  readonly #rows: Partial<Record<Counted, number>> = {}
  readonly #maxQueries: number | undefined
  #chain: Uint8Array
  #used = 0
  #calls = 0
  #refused = 0

  /**
   * `context` begins the transcript, e.g. with the learner's seed. Throws RangeError unless maxQueries is
   * a whole number of at least 0, or absent (no limit).
   */
  constructor(maxQueries?: number, context = '') {
    if (maxQueries !== undefined && !(Number.isSafeInteger(maxQueries) && maxQueries >= 0))
      throw new RangeError(`ledger: maxQueries must be a whole number of at least 0; got ${maxQueries}`)
    this.#maxQueries = maxQueries
    this.#chain = sha256(utf8ToBytes(`perturb-transcript-1:${context}`))
  }

  /** Rows answered so far. */
  get used(): number {
    return this.#used
  }

  /** Rows that may be answered in all; Infinity without a limit. */
  get max(): number {
    return this.#maxQueries ?? Infinity
  }

  /**
   * Books `rows` queries with the values that were asked about, in order.
   * Throws `budget-spent`, and books nothing, when fewer rows are left.
   */
  charge(counted: Counted, rows: number, inputs: readonly ArrayBufferView[] = []): void {
    if (!Number.isSafeInteger(rows) || rows < 1)
      throw new RangeError(`ledger: rows must be a whole number of at least 1; got ${rows}`)
    if (this.#used + rows > this.max) {
      this.#refused++
      const left = this.max - this.#used
      throw new PerturbError(
        'budget-spent',
        `query budget spent: ${rows} ${rows === 1 ? 'row was' : 'rows were'} asked for and ${left} of ${this.max} ` +
          `${left === 1 ? 'is' : 'are'} left. Nothing was answered; ask for fewer rows, or spend them better in a new run.`,
      )
    }
    this.#used += rows
    this.#calls++
    this.#rows[counted] = (this.#rows[counted] ?? 0) + rows
    this.#chain = sha256(concatBytes(this.#chain, utf8ToBytes(`${counted}:${rows}:`), digest(inputs)))
  }

  summary(): LedgerSummary {
    return {
      rows: { ...this.#rows } as Record<string, number>,
      calls: this.#calls,
      refused: this.#refused,
      ...(this.#maxQueries === undefined ? {} : { maxQueries: this.#maxQueries }),
      transcriptDigest: bytesToHex(this.#chain),
    }
  }
}

/** Lengths are hashed too: [ab, c] and [a, bc] are different questions. */
function digest(inputs: readonly ArrayBufferView[]): Uint8Array {
  const hash = sha256.create()
  for (const view of inputs) {
    hash.update(utf8ToBytes(`${view.byteLength}:`))
    hash.update(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  }
  return hash.digest()
}
