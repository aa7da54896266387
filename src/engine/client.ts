import { fromPlainError, PerturbError } from '../core/errors.ts'
import type { Method } from './method.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

export type WorkerRole = 'engine' | 'referee'

export interface CallOptions {
  signal?: AbortSignal
  onProgress?(done: number, total: number, values?: Record<string, number>): void
  /** Buffers and ports of the parameters to hand over instead of copying. */
  transfer?: Transferable[]
}

/** What a call takes and gives: those of the method's type, or (for a plain type) unknown and the type itself. */
type Params<M> = M extends Method<infer P, infer _> ? P : unknown
type Result<M> =
  M extends Method<never, infer R> ? R : M extends { run(...a: never[]): Promise<infer R> } ? R : M

interface Pending {
  resolve(value: unknown): void
  reject(error: unknown): void
  onProgress: CallOptions['onProgress']
  forget(): void
}

/** What the client needs of a Worker; tests pass their own. */
export interface WorkerLike {
  postMessage(message: ToWorker, transfer?: Transferable[]): void
  terminate(): void
  onmessage: ((event: MessageEvent) => void) | null
  onerror: ((event: ErrorEvent) => void) | null
  onmessageerror: ((event: MessageEvent) => void) | null
}

/**
 * The page's end of one trusted worker. The worker starts at the first call. When it crashes, the calls
 * under way reject with `unavailable` and the next call starts a fresh one, on the same backend as before.
 *
 *   const engine = new WorkerClient('engine')
 *   const { logits } = await engine.call<typeof predict>('predict', params, { signal })
 */
export class WorkerClient {
  readonly #role: WorkerRole
  readonly #create: (role: WorkerRole) => WorkerLike
  readonly #base: string | undefined
  readonly #pending = new Map<number, Pending>()
  readonly #listeners = new Map<string, Set<(value: unknown) => void>>()
  #worker: WorkerLike | undefined
  #lastId = 0
  /** The last choice of backend, made again after a crash. */
  #started: unknown

  constructor(role: WorkerRole, create: (role: WorkerRole) => WorkerLike = createWorker, base?: string) {
    this.#role = role
    this.#create = create
    this.#base = base
  }

  /**
   * Asks the worker to run a method. Rejects with PerturbError: `cancelled` as soon as the signal fires,
   * `unavailable` when the worker cannot start or dies, else what the method threw.
   */
  call<M>(method: string, params: Params<M>, options: CallOptions = {}): Promise<Result<M>> {
    const { signal, onProgress, transfer = [] } = options
    if (signal?.aborted) return Promise.reject(cancelled())
    let worker: WorkerLike
    try {
      worker = this.#running()
    } catch (error) {
      return Promise.reject(unavailable(this.#role, String(error)))
    }
    if (method === 'start') this.#started = params
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const stop = () => {
        worker.postMessage({ type: 'cancel', id })
        this.#settle(id)?.reject(cancelled())
      }
      signal?.addEventListener('abort', stop, { once: true })
      const forget = () => signal?.removeEventListener('abort', stop)
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject, onProgress, forget })
      try {
        worker.postMessage({ type: 'call', id, method, params }, transfer)
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error)
        this.#settle(id)?.reject(
          new PerturbError('bad-input', `${method}: the parameters cannot be sent to a worker (${detail})`, {
            cause: error,
          }),
        )
      }
    })
  }

  /** Listens to unasked news, e.g. 'backend' with a BackendReport. Returns a function that stops it. */
  on(event: string, listener: (value: unknown) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners.add(listener))
    return () => void listeners.delete(listener)
  }

  /** Stops the worker; calls under way reject. The next call starts a fresh one. */
  stop(reason = 'it was stopped'): void {
    this.#worker?.terminate()
    this.#worker = undefined
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(unavailable(this.#role, reason))
  }

  #running(): WorkerLike {
    if (this.#worker) return this.#worker
    const worker = this.#create(this.#role)
    worker.onmessage = ({ data }) => this.#worker === worker && this.#heard(data as FromWorker)
    worker.onerror = (event) => {
      event.preventDefault?.()
      if (this.#worker === worker) this.stop(event.message || 'its script could not be loaded')
    }
    worker.onmessageerror = () => this.#worker === worker && this.stop('an answer could not be read')
    this.#worker = worker
    worker.postMessage({ type: 'hello', base: this.#base ?? new URL('.', document.baseURI).href })
    if (this.#started !== undefined)
      worker.postMessage({ type: 'call', id: ++this.#lastId, method: 'start', params: this.#started })
    return worker
  }

  #heard(message: FromWorker): void {
    switch (message.type) {
      case 'progress':
        this.#pending.get(message.id)?.onProgress?.(message.done, message.total, message.values)
        break
      case 'result':
        this.#settle(message.id)?.resolve(message.value)
        break
      case 'error':
        this.#settle(message.id)?.reject(fromPlainError(message.error))
        break
      case 'event':
        if (message.name === 'broken') this.stop(String(message.value))
        for (const listener of this.#listeners.get(message.name) ?? []) listener(message.value)
    }
  }

  /** Takes a call off the list; undefined when it was settled before. */
  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    pending?.forget()
    return pending
  }
}

const cancelled = () => new PerturbError('cancelled', 'Stopped; what was finished is kept.')

const unavailable = (role: WorkerRole, reason: string) =>
  new PerturbError(
    'unavailable',
    `The ${role} stopped before it had an answer: ${reason}. Your work is kept; try again.`,
  )

/** Two literal lines, because the bundler finds workers by this very form. */
function createWorker(role: WorkerRole): WorkerLike {
  return role === 'engine'
    ? new Worker(new URL('./engine.worker.ts', import.meta.url), { type: 'module', name: 'engine' })
    : new Worker(new URL('./referee.worker.ts', import.meta.url), { type: 'module', name: 'referee' })
}
