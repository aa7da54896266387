import type { DecisionOracle, ScoreOracle, WhiteBoxAccess } from '../core/classifier.ts'
import type { Criterion } from '../core/criteria.ts'
import type { RunContext, TraceStep } from '../core/run.ts'
import type { Tensor } from '../core/tf.ts'
import type { Architecture, Weight } from '../models/model.ts'
import type { LabelledRows } from '../data/labelled-rows.ts'
import type { Ratings } from '../data/ratings.ts'

/** One knob of an attack: enough to draw a slider, a switch or a choice for it. */
export type Parameter = NumberParameter | ChoiceParameter | FlagParameter

interface ParameterBase {
  /** The key in the attack's options. */
  name: string
  /** Words for the knob; a formula letter beside it. */
  label: string
  symbol?: string
  /** One sentence: what turning it does. */
  help: string
}
export interface NumberParameter extends ParameterBase {
  kind: 'number'
  min: number
  max: number
  step: number
  unit: string
  scale: 'linear' | 'log'
  /**
   * Another ruler while the option `norm` has this value: a length in L2 is no length in L∞. `start`: where
   * it then stands.
   */
  byNorm?: Readonly<Record<string, { min: number; max: number; step: number; start: number }>>
}
export interface ChoiceParameter extends ParameterBase {
  kind: 'choice'
  choices: readonly { value: string; label: string }[]
}
export interface FlagParameter extends ParameterBase {
  kind: 'flag'
}

export type OptionValue = number | string | boolean
export type Options = Record<string, OptionValue>

export interface EvasionResult {
  /** Same shape as x; the caller disposes it. */
  adversarial: Tensor
  trace: TraceStep[]
  /** Questions a black-box attack asked about each row. */
  queries?: Int32Array
}

interface EntryBase<O extends Options> {
  /** Kebab-case, also the file name. */
  id: string
  title: string
  /** One sentence of intuition. */
  summary: string
  paper: { cite: string; url: string }
  defaults: O
  parameters: readonly Parameter[]
}

/**
 * What every evasion attack does with input at the edge, so that no file repeats it; contract.ts holds each to it.
 * Pixels at exactly 0 and 1, images without contrast and a batch of one or a thousand are images like any other. A
 * budget epsilon of 0 gives x back as it is, and a negative one is a RangeError, as is a step, a count or a query
 * budget of 0 where 0 would do nothing. With a query budget smaller than its first question x comes back as it is.
 * An image that is a success already, misread or read as its target, is left alone, or attacked like any other: the
 * attack's own words say which. A victim of a single class, labels or targets that are no class, too
 * few of them, and x of another shape are `bad-input`.
 */
export type EvasionRun<A, O> = (
  access: A,
  x: Tensor,
  criterion: Criterion,
  options: O,
  run: RunContext,
) => Promise<EvasionResult>

/**
 * What an attack file exports as `entry`. Knowledge is a type: an entry that asks for white-box access
 * cannot be handed an oracle. An attack never declares its own success; `metrics` measures it.
 */
export type EvasionEntry<O extends Options = Options> = EntryBase<O> & {
  family: 'evasion'
  /**
   * Can it lead to a class of one's choice? An attack that leads away only refuses targets (`untargeted`,
   * check.ts).
   */
  targeted: boolean
} & (
    | { access: 'white-box'; run: EvasionRun<WhiteBoxAccess, O> }
    | { access: 'score'; run: EvasionRun<ScoreOracle, O> }
    | { access: 'decision'; run: EvasionRun<DecisionOracle, O> }
  )

/** The thief's own model: plain data, made of answers. `createModel` (models/network.ts) runs it. */
export interface Surrogate {
  architecture: Architecture
  weights: Weight[]
}

/** What a thief brings along; nothing of it is the victim's. */
export interface ThiefMeans {
  /** Inputs without labels that the thief may ask about, row-major: a whole number of inputs of the victim's shape. */
  pool?: Float32Array
  /** The layers that the thief gives the surrogate; its inputs and classes are the victim's. */
  architecture?: Architecture
}

/**
 * Why a theft ended with less than it came for, and what to ask next, in words. `budget-spent`: the API refused (budget,
 * rate limit or closed account), and what it answered before is used. `singular`: the answers leave weights open.
 * `saturated`: probabilities of 0 or 1, which have no finite logit. `constant`: one class whatever was asked.
 * `not-finite`: answers that are no numbers; they were left out.
 */
export interface Shortfall {
  kind: 'budget-spent' | 'singular' | 'saturated' | 'constant' | 'not-finite'
  message: string
}

export interface ExtractionResult {
  /** As good as the answers allowed; there is always one. */
  surrogate: Surrogate
  /** Rows that were answered. */
  queriesUsed: number
  /** `queries` answered so far, and what the attack could tell about itself from them. */
  trace: TraceStep[]
  shortfall?: Shortfall
}

export type ExtractionRun<A, O> = (
  oracle: A,
  means: ThiefMeans,
  options: Partial<O>,
  run: RunContext,
) => Promise<ExtractionResult>

/** Copies a model from its answers. How good the copy is, `metrics/extraction.ts` measures. */
export type ExtractionEntry<O extends Options = Options> = EntryBase<O> & {
  family: 'extraction'
  /** What it cannot do without, by its defaults. */
  needs: readonly (keyof ThiefMeans)[]
} & (
    | { access: 'score'; run: ExtractionRun<ScoreOracle, O> }
    | { access: 'decision'; run: ExtractionRun<DecisionOracle, O> }
  )

export interface PoisoningResult<D = LabelledRows> {
  /** The training set as the victim will see it; the one that was given is untouched. */
  data: D
  /**
   * Whose rows were changed or added (of ratings: which users), in rising order: the truth that a defence is
   * measured by.
   */
  poisonedIds: Int32Array
}

/**
 * What a clean-label poisoner aims at: one input that is to be misread, and the class it is to be read as.
 */
export interface PoisonTarget {
  /**
   * Inputs to features: a surrogate without its last layer, whose “logits” are the features
   * (models/features.ts).
   */
  features: WhiteBoxAccess
  /** Numbers of the target, of a row's shape; it is in no training set. */
  target: Float32Array
  /** Class of the rows that become poison, and that the target is to be read as. */
  baseClass: number
}

/**
 * An attack on the training set: it changes or adds rows within a budget and never sees the victim, which is
 * trained afterwards. `access` says what it knows beside the data: nothing, a model of its own (`surrogate`),
 * or a target in such a model's features. `takes`: rows with labels, or ratings.
 */
export type PoisoningEntry<O extends Options = Options> = EntryBase<O> & { family: 'poisoning' } & (
    | {
        takes: 'labelled-rows'
        access: 'data'
        run: (data: LabelledRows, options: Partial<O>, run: RunContext) => Promise<PoisoningResult>
      }
    | {
        takes: 'labelled-rows'
        access: 'surrogate'
        run: (
          data: LabelledRows,
          surrogate: WhiteBoxAccess,
          options: Partial<O>,
          run: RunContext,
        ) => Promise<PoisoningResult>
      }
    | {
        takes: 'labelled-rows'
        access: 'target'
        run: (
          data: LabelledRows,
          target: PoisonTarget,
          options: Partial<O>,
          run: RunContext,
        ) => Promise<PoisoningResult>
      }
    | {
        takes: 'ratings'
        access: 'data'
        run: (ratings: Ratings, options: Partial<O>, run: RunContext) => Promise<PoisoningResult<Ratings>>
      }
  )

export type AttackEntry = EvasionEntry | ExtractionEntry | PoisoningEntry
export type AttackFamily = AttackEntry['family']
/** The entries of one family. */
export type EntryOf<F extends AttackFamily> = Extract<AttackEntry, { family: F }>
