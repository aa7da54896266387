import { PerturbError } from './errors.ts'

/** One reading of a running attack or training: step number and named figures. */
export interface TraceStep {
  step: number
  values: Record<string, number>
}

/**
 * What every long computation is given: where its randomness comes from, when to stop, whom to tell.
 * `total` steps let the caller draw progress.
 */
export interface RunContext {
  readonly seed: number
  readonly signal?: AbortSignal
  onStep?(done: number, total: number, values?: Record<string, number>): void
}

/** Throws `cancelled` when the caller has asked to stop. Call between steps, with tensors in `finally`. */
export function throwIfCancelled(run: RunContext): void {
  if (run.signal?.aborted) throw new PerturbError('cancelled', 'Stopped; what was finished is kept.')
}
