import type { ClassifierInfo } from '../core/classifier.ts'
import type { LossSpec } from '../core/losses.ts'
import type { Reading } from '../grading/readings.ts'

/**
 * What crosses between a learner's program (in the sandbox's worker) and the engine, over one
 * MessagePort. The program's side is untrusted: `src/engine/capabilities.ts` checks every field.
 */

/** Program → engine. One request in flight per capability method. */
export interface CapabilityRequest {
  id: number
  /** E.g. `victim.logits`; see `capabilities.ts` for all of them. */
  capability: string
  args: unknown[]
}

/** Engine → program. The ledger's figures come with answers and refusals alike. */
export type CapabilityReply =
  | { id: number; value: unknown; ledger: LedgerFigures }
  | { id: number; error: { code: string; message: string }; ledger: LedgerFigures }

/** Rows answered so far, and how many may be. */
export interface LedgerFigures {
  used: number
  max: number
}

/** A tensor on the wire, row-major. */
export interface WireTensor {
  shape: number[]
  dtype: 'float32' | 'int32'
  values: Float32Array | Int32Array
}

/**
 * Every capability with its arguments and its answer. y: one class index a row, as Int32Array.
 * `victim.info` costs no query; the sandbox asks it once before the program starts.
 */
export interface Capabilities {
  'victim.info'(): ClassifierInfo
  'victim.logits'(x: WireTensor): WireTensor
  'victim.lossAndGradient'(
    x: WireTensor,
    y: Int32Array,
    loss: LossSpec | null,
  ): { loss: WireTensor; gradient: WireTensor }
  'victim.vjp'(x: WireTensor, cotangent: WireTensor): WireTensor
  /** Votes of the victim on n noisy copies of each image, made here: (N, numClasses). A copy is a row. */
  'victim.sampleUnderNoise'(x: WireTensor, sigma: number, n: number): WireTensor
  /** What the victim's last layer reads of each image: (N, features). */
  'victim.features'(x: WireTensor): WireTensor
  /** The same three of the victim without its first stages: what a picture meets behind its preprocessing. */
  'inner.logits'(x: WireTensor): WireTensor
  'inner.lossAndGradient'(
    x: WireTensor,
    y: Int32Array,
    loss: LossSpec | null,
  ): { loss: WireTensor; gradient: WireTensor }
  'inner.vjp'(x: WireTensor, cotangent: WireTensor): WireTensor
  /** How many numbers the last layer reads of an input: what the two below give, and take, for each row. */
  'features.size'(): number
  'features.logits'(x: WireTensor): WireTensor
  'features.vjp'(x: WireTensor, cotangent: WireTensor): WireTensor
  /** From an account (null: account 0), which matters where the task's `watch` looks at them. */
  'oracle.scores'(x: WireTensor, account: number | null): WireTensor
  'oracle.decide'(x: WireTensor, account: number | null): Int32Array
  /** The task's `copy`, as far as it is trained. Asking it is free. */
  'surrogate.logits'(x: WireTensor): WireTensor
  'surrogate.lossAndGradient'(
    x: WireTensor,
    y: Int32Array,
    loss: LossSpec | null,
  ): { loss: WireTensor; gradient: WireTensor }
  'surrogate.vjp'(x: WireTensor, cotangent: WireTensor): WireTensor
  /** One Adam step at this rate (null: 0.001) on it, towards these probabilities (N, numClasses); the mean loss. */
  'surrogate.learn'(x: WireTensor, answers: WireTensor, rate: number | null): number
  /** The weights that it began with. */
  'surrogate.restart'(): void
  /** One Adam step at this rate (null: 0.001) on a copy of the victim; the mean loss. */
  'trainer.step'(x: WireTensor, y: Int32Array, rate: number | null): number
  /**
   * Batch number `step` of a training on `images` training images (null: all) in batches of `size`; the run's seed
   * chooses them and shuffles them anew for each epoch. `batches` is their number in an epoch.
   */
  'data.batch'(
    step: number,
    size: number,
    images: number | null,
  ): { x: WireTensor; y: Int32Array; batches: number }
  /**
   * Trains the task's victim anew on its rows with these changes (label −1 drops a row; `values` holds new numbers for
   * each changed row; `backdoor` a trigger, and the changed rows that carry it), reads it on the test split, and scores every
   * row that was given. From then on `victim` is the new one. Every row of every batch is charged.
   */
  retrain(
    ids: Int32Array,
    labels: Int32Array,
    values: Float32Array | null,
    backdoor: { trigger?: unknown; stamped: number[] } | null,
  ): Reading & { scores: Float32Array }
  /** What shoppers said of the catalogue's items: three columns, and the kind of each item. */
  'data.ratings'(): {
    numUsers: number
    numItems: number
    kinds: Int32Array
    users: Int32Array
    items: Int32Array
    values: Float32Array
  }
  /**
   * Fits the task's recommender on its ratings with those of invented shoppers (cells and stars, as `profileChanges` makes
   * them), without some shoppers, and reads the lists of the honest ones. Every rating that it is fitted on is charged.
   */
  recommend(
    ids: Int32Array,
    stars: Int32Array,
    without: Int32Array,
  ): { exposure: number; hitRate: number; removed: Int32Array }
  /**
   * Runs a filter of the library on the rows that the victim was trained on last: their ids, a score for each, and the ids
   * that the filter's own rule picks.
   */
  suspects(filter: string): { ids: number[]; scores: Float64Array; flagged: number[] }
  /** The true labels of the rows that the task says were audited. */
  'data.audited'(): { ids: number[]; y: Int32Array }
  /** The accounts of the provider's log: those known to be honest, and those of today. */
  'log.accounts'(): { honest: number[]; today: number[] }
  /** What one account asked, in order: answers, how sure the victim was, and the (n, n) distances of its questions. */
  'log.entries'(account: number): {
    answers: Int32Array
    confidences: Float32Array
    distances: Float32Array
  }
  /** When an account asked, in seconds from its first question. */
  'log.times'(account: number): Float64Array
  /** The task's target, one row, and its true class. */
  'data.target'(): { x: WireTensor; y: number }
  /** The first n images of the task; all of them when n is null. */
  'data.sample'(n: number | null): { ids: number[]; x: WireTensor; y: Int32Array }
}
