import type { PlainError } from '../core/errors.ts'

/**
 * What crosses between the page and its two trusted workers (engine, referee). One shape for both:
 * a call is answered by any number of `progress` messages and one `result` or `error`; `cancel` asks a
 * call to stop. Typed arrays are transferred, never copied, when the sender lists them.
 */
export type ToWorker =
  /** First of all: where the app's static files lie (a worker's own address is somewhere in assets/). */
  | { type: 'hello'; base: string }
  | { type: 'call'; id: number; method: string; params: unknown }
  | { type: 'cancel'; id: number }

export type FromWorker =
  | { type: 'progress'; id: number; done: number; total: number; values?: Record<string, number> }
  | { type: 'result'; id: number; value: unknown }
  | { type: 'error'; id: number; error: PlainError }
  /** Unasked news, e.g. a lost device or a new backend. */
  | { type: 'event'; name: string; value: unknown }

/** What a running method may do besides return. */
export interface CallContext {
  readonly signal: AbortSignal
  progress(done: number, total: number, values?: Record<string, number>): void
}
