import { PerturbError } from '../core/errors.ts'

export type RunPhase = 'idle' | 'running' | 'finished' | 'cancelled' | 'failed'

/** What a piece of work is given: when to stop, and whom to tell. */
export interface WorkContext {
  readonly signal: AbortSignal
  progress(done: number, total: number, values?: Record<string, number>): void
  /** Replaces the words in front of the count, e.g. "Grading". */
  say(label: string): void
}

/**
 * One piece of long work at a time, with its count, the time it still needs and a way to stop it. The
 * run bar draws exactly this.
 */
export class RunQueue {
  phase: RunPhase = $state('idle')
  /** What is running or ran, e.g. "Your program". */
  label = $state('')
  /** One sentence about how it ended. */
  message = $state('')
  done = $state(0)
  total = $state(0)
  /** Seconds the work took, once it has ended. */
  seconds = $state(0)
  #started = 0
  #elapsed = $state(0)
  #abort: AbortController | undefined

  readonly running = $derived(this.phase === 'running')
  readonly share = $derived(this.total > 0 ? Math.min(1, this.done / this.total) : 0)
  /** Estimated from the pace so far; nothing before a twentieth is done. */
  readonly secondsLeft = $derived(
    this.running && this.share >= 0.05 ? (this.#elapsed / this.share) * (1 - this.share) : undefined,
  )

  constructor(private readonly now: () => number = () => performance.now()) {}

  /**
   * Runs `work` and resolves with its result, or with undefined when it was stopped. Errors are told
   * here (`phase`, `message`) and thrown on, so that the caller can place them. Refuses a second run.
   */
  async run<T>(label: string, work: (context: WorkContext) => Promise<T>): Promise<T | undefined> {
    if (this.running) {
      throw new PerturbError(
        'bad-input',
        `${this.label} is still running. Wait for it, or cancel it with Esc.`,
      )
    }
    const abort = new AbortController()
    this.#abort = abort
    this.#started = this.now()
    this.#elapsed = 0
    this.label = label
    this.message = ''
    this.done = 0
    this.total = 0
    this.phase = 'running'
    try {
      const result = await work({
        signal: abort.signal,
        progress: (done, total) => {
          this.done = done
          this.total = total
          this.#elapsed = (this.now() - this.#started) / 1000
        },
        say: (words) => {
          this.label = words
        },
      })
      if (abort.signal.aborted) return (this.#stopped(), undefined)
      this.#end('finished')
      return result
    } catch (error) {
      if (abort.signal.aborted || (error instanceof PerturbError && error.code === 'cancelled')) {
        this.#stopped()
        return undefined
      }
      this.#end('failed')
      this.message = error instanceof Error ? error.message : String(error)
      throw error
    } finally {
      this.#abort = undefined
    }
  }

  /** Forgets how the last run ended. */
  clear(): void {
    if (!this.running) this.phase = 'idle'
  }

  cancel(): void {
    this.#abort?.abort()
  }

  /** After a run that ended by itself without success: its sentence stands in the run bar. */
  fail(message: string): void {
    this.phase = 'failed'
    this.message = message
  }

  #stopped(): void {
    this.#end('cancelled')
    this.message =
      this.done > 0 && this.total > 0
        ? `Stopped at ${this.done} of ${this.total}; what was finished is kept.`
        : 'Stopped.'
  }

  #end(phase: RunPhase): void {
    this.seconds = (this.now() - this.#started) / 1000
    this.phase = phase
  }
}
