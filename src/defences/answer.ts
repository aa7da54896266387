import type { Options, Parameter } from '../attacks/attack.ts'
import type { Rng } from '../core/rng.ts'

/**
 * What an API tells of its probabilities, so that a thief learns less from them. Plain numbers, a row at a time; the
 * same draw gives the same answer.
 */
export interface AnswerEntry<O extends Options = Options> {
  /** Kebab-case, also the file name. */
  id: string
  title: string
  /** One sentence of intuition. */
  summary: string
  paper: { cite: string; url: string }
  /** Does it draw anew for every row? */
  random: boolean
  defaults: O
  parameters: readonly Parameter[]
  /** Throws `bad-input` for options out of range; told once, before any row. */
  check(options: O): void
  /** What is told of one row of probabilities, one a class: a new array, finite and at least 0. */
  answer(row: Float32Array, options: O, draw: Rng): Float32Array
}

/** An answer format with its options, as data. */
export type AnswerSpec = { readonly id: string } & Readonly<Options>
