import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** What a call of the engine is given for one run. */
export interface RunOptions {
  signal: AbortSignal
  onProgress(done: number, total: number): void
}

const kept = 4

/**
 * Runs of one measurement, the earlier ones kept for comparison: under way or not, how far, and what went wrong. Another
 * variant's runs are forgotten.
 */
export abstract class RunHistory<R extends { number: number }> {
  /** Latest first. */
  runs: R[] = $state.raw([])
  running = $state(false)
  /** 0 to 1. */
  progress = $state(0)
  trouble = $state('')
  #abort: AbortController | undefined
  #seed = -1
  #count = 0

  constructor(readonly session: LabSession) {}

  /** Runs once, unless a run is under way. What was measured before stays when this one is stopped or fails. Never throws. */
  protected async attempt(work: (options: RunOptions) => Promise<void>): Promise<void> {
    if (this.running) return
    const { signal } = (this.#abort = new AbortController())
    this.running = true
    this.trouble = ''
    this.progress = 0
    try {
      if (this.#seed !== this.session.seed) this.forget()
      this.#seed = this.session.seed
      const onProgress = (done: number, total: number) => {
        this.progress = done / total
      }
      await work({ signal, onProgress })
    } catch (error) {
      if (!signal.aborted) this.trouble = sentenceOf(error)
    } finally {
      this.running = false
      this.#abort = undefined
    }
  }

  /** What belongs to another variant goes. */
  protected forget(): void {
    this.runs = []
  }

  /** The seed of the variant that the runs belong to; −1 before the first. */
  protected get seed(): number {
    return this.#seed
  }

  /** Of runs that are the same one is enough, the latest. */
  protected keep(run: Omit<R, 'number'>, isSame: (earlier: R) => boolean = () => false): void {
    const latest = { ...run, number: ++this.#count } as R
    this.runs = [latest, ...this.runs.filter((earlier) => !isSame(earlier))].slice(0, kept)
  }

  cancel(): void {
    this.#abort?.abort()
  }
}
