/**
 * What a run's gradients were asked about, counted outside the sandbox: the trace from which a failed attack is
 * explained. It looks at the whole sample only, so that a row is compared with its own original.
 */
import type { TraceStep } from '../core/run.ts'
import type { WatchedStep } from '../grading/diagnose/run.ts'

/** Entries kept; a run of more steps is told by its first ones. */
const mostSteps = 200

export class Watch {
  readonly trace: TraceStep[] = []
  #last: Float32Array
  readonly #originals: Float32Array
  readonly #rows: number

  constructor(originals: Float32Array, rows: number) {
    this.#originals = originals
    this.#last = originals
    this.#rows = rows
  }

  /** A gradient that was answered: images, the loss of each, and the slopes. Other numbers of rows are passed over. */
  saw(x: Float32Array, loss: ArrayLike<number>, gradient: Float32Array): void {
    if (x.length !== this.#originals.length || this.trace.length >= mostSteps) return
    const size = x.length / this.#rows
    const step: WatchedStep = {
      loss: 0,
      linf: 0,
      l2: 0,
      movedLinf: 0,
      movedL2: 0,
      lowest: Infinity,
      highest: -Infinity,
      flat: 0,
    }
    for (let row = 0; row < this.#rows; row++) {
      let [far, moved, flat] = [0, 0, true]
      for (let i = row * size; i < (row + 1) * size; i++) {
        const value = x[i]!
        const change = Math.abs(value - this.#originals[i]!)
        const since = Math.abs(value - this.#last[i]!)
        far += change * change
        moved += since * since
        if (change > step.linf) step.linf = change
        if (since > step.movedLinf) step.movedLinf = since
        if (value < step.lowest) step.lowest = value
        if (value > step.highest) step.highest = value
        if (gradient[i] !== 0) flat = false
      }
      step.l2 = Math.max(step.l2, Math.sqrt(far))
      step.movedL2 = Math.max(step.movedL2, Math.sqrt(moved))
      step.loss += loss[row]! / this.#rows
      if (flat) step.flat += 1 / this.#rows
    }
    this.#last = x
    // Evidence is JSON, which has no infinity.
    if (!Number.isFinite(step.loss)) step.loss = Number.MAX_VALUE
    this.trace.push({ step: this.trace.length, values: step })
  }
}
