import type { Options, Parameter } from '../attacks/attack.ts'
import type { Rng } from '../core/rng.ts'
import type { Tensor } from '../core/tf.ts'

/**
 * One thing put around a model: before it (an input transformation) or behind it (what becomes of its
 * logits). A stage is arithmetic without state; what it draws comes from `draw`, so the same draw gives the
 * same output and its own derivative. Arguments are borrowed; what is returned is the caller's.
 */
export interface StageEntry<O extends Options = Options> {
  /** Kebab-case, also the file name. */
  id: string
  title: string
  /** One sentence of intuition. */
  summary: string
  paper: { cite: string; url: string }
  place: 'input' | 'output'
  /** Does it draw anew at every call? */
  random: boolean
  /**
   * Is its derivative 0 wherever it has one (a staircase)? Then the honest gradient through it is 0 and
   * `backward` is never asked.
   */
  flat: boolean
  defaults: O
  parameters: readonly Parameter[]
  /** Throws `bad-input` when the options make no sense for x. */
  forward(x: Tensor, options: O, draw: Rng): Tensor
  /** Jacobianᵀ · cotangent at x, for the same draw. */
  backward(x: Tensor, cotangent: Tensor, options: O, draw: Rng): Tensor
}

/** A stage with its options, as data: it is written into tasks, crosses ports, and is built anew where it runs. */
export type StageSpec = { readonly id: string } & Readonly<Options>
