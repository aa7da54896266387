/**
 * What the frame lets through between a learner's worker, the page and the engine. The worker is hostile
 * until proven otherwise: each message is checked field by field, counted, and built afresh.
 */
import { PerturbError } from '../../core/errors.ts'
import type {
  CapabilityReply,
  FrameMessage,
  LedgerFigures,
  Limits,
  RawError,
  WorkerAnswer,
} from '../protocol.ts'
import { checkSubmission, own } from '../submission.ts'

export interface RelaySides {
  toPage(message: FrameMessage): void
  toEngine(request: { id: number; capability: string; args: unknown[] }): void
  toWorker(answer: WorkerAnswer): void
  /** Stops the worker; nothing it sends is relayed any more. */
  terminate(): void
  /** Milliseconds from any fixed moment. */
  now(): number
}

const levels = ['log', 'warn', 'error'] as const
/** Longest gap between two draws on the page; a program that reports faster than this is not heard oftener. */
const pageIntervalMs = 50

export class Relay {
  #windowStart = -Infinity
  #inWindow = 0
  #lines = 0
  #bytes = 0
  #pending: { level: (typeof levels)[number]; text: string }[] = []
  #pendingDropped = 0
  #lastConsole = -Infinity
  #lastProgress = -Infinity
  #lastLedger = -Infinity
  /** The engine's newest figures, until the page has been told. */
  #figures: LedgerFigures | undefined
  #submitted = false
  #over = false
  /** Capability by request id, for requests that the engine has not answered. */
  readonly #inFlight = new Map<number, string>()
  #waitedMs = 0
  #waitingSince: number | undefined

  constructor(
    private readonly limits: Limits,
    private readonly sides: RelaySides,
  ) {}

  /** How long the program has had a question before the engine; that is not time of its own. */
  get waitedMs(): number {
    return this.#waitedMs + (this.#waitingSince === undefined ? 0 : this.sides.now() - this.#waitingSince)
  }

  /** A message on the worker's port. */
  fromWorker(message: unknown): void {
    if (this.#over || !this.#count()) return
    switch (own(message, 'type')) {
      case 'ready':
        return this.sides.toPage({
          type: 'ready',
          backend: own(message, 'backend') === 'wasm' ? 'wasm' : 'cpu',
        })
      case 'console':
        return this.#console(own(message, 'lines'), own(message, 'dropped'))
      case 'progress':
        return this.#progress(own(message, 'done'), own(message, 'total'))
      case 'call':
        return this.#call(own(message, 'request'))
      case 'submit':
        return this.#submit(own(message, 'artefact'))
      case 'finished':
        this.#end()
        return this.sides.toPage({ type: 'finished' })
      case 'failed':
        return this.fail(rawError(own(message, 'error')))
    }
    // Anything else is not of our runtime's making; it was counted, and that is all.
  }

  /** A message that did not come by the port we gave: our runtime sends none. */
  strayMessage(): void {
    if (!this.#over) this.#flood('your program posted messages of its own, which nothing here listens to')
  }

  /** The worker reported an error of its own (a syntax error, an uncaught throw in a timer). */
  fail(error: RawError): void {
    if (this.#over) return
    this.#end()
    this.sides.toPage({ type: 'failed', error })
  }

  /** An answer of the engine, passed on to whoever asked. */
  fromEngine(reply: CapabilityReply): void {
    if (this.#over || !this.#inFlight.delete(reply.id)) return
    if (this.#inFlight.size === 0) {
      this.#waitedMs = this.waitedMs
      this.#waitingSince = undefined
    }
    this.sides.toWorker({ type: 'reply', reply })
    this.#figures = { used: reply.ledger.used, max: reply.ledger.max }
    if (this.sides.now() - this.#lastLedger >= pageIntervalMs) this.#tellLedger()
  }

  /** Called on a timer, so that the last lines and figures of a quiet program are seen too. */
  flush(): void {
    this.#tellLedger()
    if (!this.#pending.length && !this.#pendingDropped) return
    this.sides.toPage({ type: 'console', lines: this.#pending, dropped: this.#pendingDropped })
    this.#pending = []
    this.#pendingDropped = 0
    this.#lastConsole = this.sides.now()
  }

  #tellLedger(): void {
    if (!this.#figures) return
    this.sides.toPage({ type: 'ledger', figures: this.#figures })
    this.#figures = undefined
    this.#lastLedger = this.sides.now()
  }

  #count(): boolean {
    const now = this.sides.now()
    if (now - this.#windowStart >= 1000) {
      this.#windowStart = now
      this.#inWindow = 0
    }
    this.#inWindow++
    if (this.#inWindow <= this.limits.messagesPerSecond) return true
    this.#flood(
      `your program sent more than ${this.limits.messagesPerSecond.toLocaleString('en')} messages in a second`,
    )
    return false
  }

  #flood(what: string): void {
    this.#end()
    this.sides.toPage({
      type: 'flood',
      message: `${what}, so it was stopped; look for a loop that never waits`,
    })
  }

  #end(): void {
    this.flush()
    this.#over = true
    this.sides.terminate()
  }

  #console(lines: unknown, dropped: unknown): void {
    if (Number.isSafeInteger(dropped) && (dropped as number) > 0) this.#drop(dropped as number)
    if (!Array.isArray(lines)) return
    const { consoleLines, consoleBytes } = this.limits
    for (const line of lines.slice(0, consoleLines)) {
      const text = own(line, 'text')
      if (typeof text !== 'string') continue
      if (this.#lines >= consoleLines || this.#bytes + text.length > consoleBytes) {
        this.#drop(1)
        continue
      }
      this.#lines++
      this.#bytes += text.length
      this.#pending.push({ level: levels.find((level) => level === own(line, 'level')) ?? 'log', text })
    }
    if (this.sides.now() - this.#lastConsole >= pageIntervalMs) this.flush()
  }

  #drop(count: number): void {
    this.#pendingDropped += count
  }

  #progress(done: unknown, total: unknown): void {
    if (typeof done !== 'number' || typeof total !== 'number' || !(total > 0) || !Number.isFinite(total))
      return
    const now = this.sides.now()
    const fraction = Math.min(Math.max(done, 0), total)
    if (Number.isNaN(fraction) || (now - this.#lastProgress < pageIntervalMs && fraction < total)) return
    this.#lastProgress = now
    this.sides.toPage({ type: 'progress', done: fraction, total })
  }

  #call(request: unknown): void {
    const id = own(request, 'id')
    const capability = own(request, 'capability')
    const args = own(request, 'args')
    if (
      !Number.isSafeInteger(id) ||
      typeof capability !== 'string' ||
      capability.length > 100 ||
      !Array.isArray(args)
    )
      return
    const refuse = (message: string, code = 'flood') =>
      this.sides.toWorker({
        type: 'reply',
        reply: { id: id as number, error: { code, message }, ledger: { used: 0, max: 0 } },
      })
    if (this.#inFlight.has(id as number)) return
    if ([...this.#inFlight.values()].includes(capability)) {
      return refuse(
        `${capability}: the last call has not been answered yet; await each call before the next one`,
      )
    }
    const bytes = measure(args)
    if (bytes > this.limits.requestBytes) {
      return refuse(
        `${capability}: one call may carry at most ${Math.round(this.limits.requestBytes / 1024 / 1024)} MiB; send fewer rows at once`,
        'bad-input',
      )
    }
    this.#inFlight.set(id as number, capability)
    this.#waitingSince ??= this.sides.now()
    this.sides.toEngine({ id: id as number, capability, args })
  }

  #submit(value: unknown): void {
    try {
      if (this.#submitted)
        throw new PerturbError('bad-input', 'submit: a run hands in once; this was the second call')
      const artefact = checkSubmission(value, this.limits.artefactBytes)
      this.#submitted = true
      this.sides.toPage({ type: 'submit', artefact })
      this.sides.toWorker({ type: 'submitted' })
    } catch (error) {
      const { message } = error as Error
      this.sides.toWorker({ type: 'submitted', error: { code: 'bad-input', message } })
    }
  }
}

/** Copies an error's words, cut to a readable length. */
export function rawError(value: unknown): RawError {
  const text = (key: string, most: number) => {
    const found = own(value, key)
    return typeof found === 'string' ? found.slice(0, most) : undefined
  }
  const number = (key: string) => {
    const found = own(value, key)
    return Number.isSafeInteger(found) ? (found as number) : undefined
  }
  return {
    message: text('message', 2_000) ?? 'the program stopped with an error that says nothing',
    code: text('code', 40),
    stack: text('stack', 8_000),
    line: number('line'),
    column: number('column'),
  }
}

/** About how many bytes a request's arguments take; Infinity when they are deeper or wider than any honest one. */
function measure(value: unknown, depth = 0, budget = { nodes: 200_000 }): number {
  if (--budget.nodes < 0 || depth > 4) return Infinity
  if (ArrayBuffer.isView(value))
    return value.byteLength === value.buffer.byteLength ? value.byteLength : value.buffer.byteLength
  if (value instanceof ArrayBuffer) return value.byteLength
  if (typeof value === 'string') return value.length * 2
  if (typeof value !== 'object' || value === null) return 8
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return Infinity
  let bytes = 16
  for (const item of Object.values(value)) {
    bytes += measure(item, depth + 1, budget)
    if (bytes === Infinity) break
  }
  return bytes
}
