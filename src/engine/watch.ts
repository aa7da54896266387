/**
 * What a run's gradients were asked about, counted outside the sandbox: the trace from which a failed attack is
 * explained. It looks at the whole sample, or at an even part of it (a third, say), so that a row is compared with
 * its own original; which part it is tells the likeness of its first image.
 */
import type { TraceStep } from '../core/run.ts'
import type { WatchedStep } from '../grading/diagnose/run.ts'

/** Entries kept; a run of more steps is told by its first ones. */
const mostSteps = 200

export class Watch {
  readonly trace: TraceStep[] = []
  /** The images asked about last, by the first row of their part. */
  readonly #last = new Map<number, Float32Array>()
  readonly #originals: Float32Array
  readonly #rows: number

  constructor(originals: Float32Array, rows: number) {
    this.#originals = originals
    this.#rows = rows
  }

  /** A gradient that was answered: images, the loss of each, and the slopes. Parts that do not divide the sample are passed over. */
  saw(x: Float32Array, loss: ArrayLike<number>, gradient: Float32Array): void {
    const rows = loss.length
    if (rows === 0 || this.#rows % rows !== 0 || this.trace.length >= mostSteps) return
    const size = this.#originals.length / this.#rows
    const from = this.#partOf(x.subarray(0, size), rows)
    const originals = this.#originals.subarray(from * size, (from + rows) * size)
    const last = this.#last.get(from) ?? originals
    const step: WatchedStep = {
      from,
      loss: 0,
      linf: 0,
      l2: 0,
      movedLinf: 0,
      movedL2: 0,
      lowest: Infinity,
      highest: -Infinity,
      flat: 0,
    }
    for (let row = 0; row < rows; row++) {
      let [far, moved, flat] = [0, 0, true]
      for (let i = row * size; i < (row + 1) * size; i++) {
        const value = x[i]!
        const change = Math.abs(value - originals[i]!)
        const since = Math.abs(value - last[i]!)
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
      step.loss += loss[row]! / rows
      if (flat) step.flat += 1 / rows
    }
    this.#last.set(from, x)
    // Evidence is JSON, which has no infinity.
    if (!Number.isFinite(step.loss)) step.loss = Number.MAX_VALUE
    this.trace.push({ step: this.trace.length, values: step })
  }

  /** The first row of the part whose first original this image is most like, whatever its scale. */
  #partOf(image: Float32Array, rows: number): number {
    const size = image.length
    let [best, likeness] = [0, -Infinity]
    for (let from = 0; from < this.#rows; from += rows) {
      let [product, length] = [0, 1e-12]
      for (let i = 0; i < size; i++) {
        const original = this.#originals[from * size + i]!
        product += image[i]! * original
        length += original * original
      }
      const like = product / Math.sqrt(length)
      if (like > likeness) [best, likeness] = [from, like]
    }
    return best
  }
}
