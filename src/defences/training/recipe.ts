import type { Parameter } from '../../attacks/attack.ts'
import type { Labels } from '../../core/classifier.ts'
import type * as tf from '../../core/tf.ts'
import type { RunContext } from '../../core/run.ts'
import type { Split } from '../../data/data-set.ts'
import type { Model } from '../../models/model.ts'
import type { BatchRun, PreparedBatch } from '../../models/train.ts'

/** Every recipe trains towards a strength, and may arrive there slowly. */
export interface CommonOptions {
  /** Strength of the examples at the end of the ramp, L∞, in pixel units. */
  epsilon: number
  /** Part of the training over which ε grows from 0 to its full size, 0 to 1. */
  ramp: number
}

export type RecipeOptions = CommonOptions & Record<string, number>

/**
 * A way to train that withstands attack: what each batch becomes before its step. What a recipe file exports
 * as `entry`; the loop around it (`harden.ts`), its ramp, its readings and its cancel are shared.
 */
export interface TrainingRecipe {
  /** Kebab-case, also the file name. */
  id: string
  title: string
  /** One sentence of intuition. */
  summary: string
  paper: { cite: string; url: string }
  defaults: RecipeOptions
  /** They draw the knobs; only what is listed may be turned. */
  parameters: readonly Parameter[]
  /** Throws `bad-input` or RangeError for options that make no sense; ε and ramp are checked before. */
  check?(options: RecipeOptions): void
  /** The figure that `read` reads, so that a page knows what to expect. */
  figure?: string
  /** What is read on the way beside clean accuracy, by figure, when FGSM and PGD at ε would say nothing of it. */
  read?(
    model: Model,
    test: Split,
    ids: readonly number[],
    options: RecipeOptions,
    run: RunContext,
  ): Promise<Record<string, number>>
  /**
   * What the step is taken on; x and y are borrowed, a new tensor is the loop's. `options.epsilon` is the ramp's
   * present height and above 0.
   */
  prepare(
    model: Model,
    x: tf.Tensor,
    y: Labels,
    options: RecipeOptions,
    run: BatchRun,
  ): Promise<tf.Tensor | PreparedBatch>
}
