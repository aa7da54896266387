import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/**
 * One of the engine's measurements as a widget shows it: under way or not, how far, what came of it last, and what went
 * wrong. Another variant's result is forgotten.
 */
export class EngineMeasure<R> {
  result: R | undefined = $state.raw()
  running = $state(false)
  /** 0 to 1. */
  progress = $state(0)
  trouble = $state('')
  #abort: AbortController | undefined
  #last: Promise<void> = Promise.resolve()
  #seed = -1

  constructor(
    readonly session: LabSession,
    private readonly method: string,
  ) {}

  /**
   * Measures anew; a measurement under way is given up for it. What was measured before stays when this one is stopped
   * or fails. Never throws.
   */
  measure(params: object): Promise<void> {
    this.#abort?.abort()
    const abort = new AbortController()
    this.#abort = abort
    return (this.#last = this.#last.then(() => this.#once(params, abort)))
  }

  async #once(params: object, abort: AbortController): Promise<void> {
    const { session } = this
    const { signal } = abort
    if (signal.aborted) return
    this.running = true
    this.trouble = ''
    this.progress = 0
    try {
      if (this.#seed !== session.seed) this.result = undefined
      this.#seed = session.seed
      const onProgress = (done: number, total: number) => {
        this.progress = done / total
      }
      this.result = (await session.engine.call(this.method, params, { signal, onProgress })) as R
    } catch (error) {
      if (!signal.aborted) this.trouble = sentenceOf(error)
    } finally {
      this.running = false
    }
  }

  /** Whether this variant was measured, or could not be: to do it unasked would be once too often. */
  get isAnswered(): boolean {
    return this.trouble !== '' || (this.result !== undefined && this.#seed === this.session.seed)
  }

  cancel(): void {
    this.#abort?.abort()
  }
}
