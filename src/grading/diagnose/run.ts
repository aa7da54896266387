import type { TraceStep } from '../../core/run.ts'
import { largestIn, type Diagnosis, type MeasuredExamples } from '../evasion.ts'
import type { Finding } from '../verdict.ts'
import type { GradientFacts } from './gradient.ts'

/** What is known of a run that handed in adversarial examples. Rules look at it and say what went wrong. */
export interface Run {
  measured: MeasuredExamples
  /** How the change lies to the loss of every class (`diagnoseDirection`). */
  direction: Diagnosis
  /** The class that a targeted checkpoint asks for. */
  target?: number
  /** Where the victim has no slope to follow (`examineGradients`). */
  gradient?: GradientFacts
  /** What the engine saw of the run on its way, one entry a gradient asked for: see `WatchedStep`. */
  trace?: readonly TraceStep[]
}

/** One small suspicion: a finding, or nothing. */
export type Rule = (run: Run) => Finding | false | undefined

/**
 * Figures of one gradient asked for on the sample or an even part of it, as the engine counts them outside the
 * sandbox: the first row, the mean loss of the labels asked about, how far the images lie from the originals (largest element, longest row),
 * how far they moved since the last (the same two), their range, and the share of rows without any slope.
 */
export type WatchedStep = Record<
  'from' | 'loss' | 'linf' | 'l2' | 'movedLinf' | 'movedL2' | 'lowest' | 'highest' | 'flat',
  number
>

/** How far the farthest image went, in the budget's norm. */
export const reachOf = ({ measured }: Run) => largestIn(measured, measured.norm)

/** How far one step went at most, in the budget's norm; undefined when nobody watched. */
export function stepOf({ trace, measured }: Run): number | undefined {
  const moves = (trace ?? []).map(
    ({ values }) => values[measured.norm === 'l2' ? 'movedL2' : 'movedLinf'] ?? 0,
  )
  const longest = moves.reduce((a, b) => Math.max(a, b), 0)
  return longest > 0 ? longest : undefined
}

/** "ε" and what it limits, in the words of the norm. */
export const limitWords = ({ norm }: MeasuredExamples) =>
  norm === 'l2'
    ? { farthest: 'The longest change is', inside: 'the ball of length ε' }
    : { farthest: 'The farthest pixel moved by', inside: '[−ε, ε]' }

/**
 * Images on which the model is surer of the right answer than before. After many steps the signs of a change no
 * longer follow the first gradient, but the scores still tell which way it went.
 */
export function surerRows({ gallery }: MeasuredExamples): number {
  const lead = (logits: number[], truth: number) =>
    logits[truth]! - Math.max(...logits.filter((_, k) => k !== truth))
  return gallery.filter(
    ({ truth, logitsBefore, logitsAfter }) => lead(logitsAfter, truth) > lead(logitsBefore, truth),
  ).length
}
