/**
 * Runs a learner's program in the sandbox, from the page. The program is taken to be hostile: it can spend
 * its own time and its own frame's memory, and nothing else.
 */
import type { Task } from '../grading/grader.ts'
import type { SandboxSpec } from '../labs/manifest.ts'
import { compileAside } from './compile-aside.ts'
import { openFrame, type SandboxFrame } from './frame.ts'
import { mapStack, ProgramProblem, type CompiledProgram } from './program.ts'
import type {
  ConsoleLine,
  FrameMessage,
  LedgerFigures,
  Limits,
  ProgramOutcome,
  StartMessage,
} from './protocol.ts'
import { checkSubmission, maxArtefactBytes, type HandIn } from './submission.ts'

export interface ProgramRequest {
  files: Record<string, string>
  /** The file that is run. */
  main: string
  task: Task
  /** Where the program's randomness comes from. */
  seed: number
  spec: SandboxSpec
  /** The engine serves capabilities on the other end; it is given away. */
  enginePort: MessagePort
  /** tfjs' WASM binary (SIMD); copied, so that the caller keeps it. Without it the arithmetic is plain JavaScript. */
  wasmBytes?: ArrayBuffer | Uint8Array
  /** The program starts now; its own arithmetic runs on this backend. */
  onStart?(backend: 'wasm' | 'cpu'): void
  /** dropped: lines of this batch that were over the cap. */
  onConsole?(lines: ConsoleLine[], dropped: number): void
  onProgress?(done: number, total: number): void
  /** The engine's ledger after an answer, a few times a second. */
  onLedger?(figures: LedgerFigures): void
  signal?: AbortSignal
}

export const limits: Limits = {
  consoleLines: 1_000,
  consoleBytes: 256 * 1024,
  messagesPerSecond: 2_000,
  requestBytes: 64 * 1024 * 1024,
  artefactBytes: maxArtefactBytes,
}

/** Frame, worker and WebAssembly must be up in this time; it is not taken from the program's own. */
const startMs = 30_000
/** A frame that leaves two pings of this distance unanswered has died, of memory most likely. */
const pingMs = 3_000

/** Waiting for the engine is no time of the program's own; but a run ends after so many times its seconds, whatever it waits for. */
const mostTimes = 10

const notStarted = 'the sandbox did not start; reload the page, and see the doctor page if it happens again'
const outOfMemory =
  'the browser closed the sandbox, most likely because the program used up its memory. Free tensors in long loops (tf.tidy, tf.dispose), or work on fewer images at once'

/** Never rejects for anything the program did: how it ended is the answer. */
export async function runProgram(request: ProgramRequest): Promise<ProgramOutcome> {
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  if (request.signal?.aborted) return { status: 'cancelled', seconds: 0 }
  let compiled: CompiledProgram
  try {
    compiled = await compileAside(request, request.signal)
  } catch (error) {
    request.enginePort.close()
    if (error instanceof ProgramProblem)
      return { status: 'failed', error: { ...error.problem, code: error.code }, seconds: seconds() }
    if (request.signal?.aborted) return { status: 'cancelled', seconds: seconds() }
    throw error
  }
  return new Run(request, compiled, seconds).outcome
}

type Ending = ProgramOutcome extends infer O ? (O extends unknown ? Omit<O, 'seconds'> : never) : never

class Run {
  readonly outcome: Promise<ProgramOutcome>
  #settle!: (outcome: ProgramOutcome) => void
  readonly #closing = new AbortController()
  #frame: SandboxFrame | undefined
  #artefact: HandIn | undefined
  #runtimeLines = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #heartbeat: ReturnType<typeof setInterval> | undefined
  #unanswered = 0
  #began: number | undefined

  constructor(
    private readonly request: ProgramRequest,
    private readonly compiled: CompiledProgram,
    private readonly seconds: () => number,
  ) {
    this.outcome = new Promise((resolve) => (this.#settle = resolve))
    request.signal?.addEventListener('abort', this.#cancel, { once: true })
    this.#timer = setTimeout(() => this.#crash(notStarted), startMs)
    this.#open().catch((error: unknown) => {
      this.#crash(
        `the sandbox could not be opened: ${error instanceof Error ? error.message : String(error)}`,
      )
    })
  }

  #cancel = () => this.#end({ status: 'cancelled' })

  #crash(message: string): void {
    this.#end({ status: 'crashed', message })
  }

  async #open(): Promise<void> {
    const { default: runtime, frameScript, frameScriptHash } = await import('virtual:perturb/sandbox-runtime')
    if (this.#closing.signal.aborted) return
    const frame = await openFrame(frameScript, frameScriptHash, this.#closing.signal)
    this.#frame = frame
    frame.port.onmessage = ({ data }: MessageEvent<FrameMessage>) => this.#hear(data)
    const { spec, task, seed, wasmBytes, enginePort } = this.request
    this.#runtimeLines = runtime.split('\n').length
    const message: StartMessage = {
      type: 'start',
      workerText: `${runtime}\n__perturb(${this.compiled.text})`,
      init: {
        wasm: wasmBytes ? new Uint8Array(wasmBytes).slice().buffer : null,
        access: [...spec.access],
        task: { values: { ...task.values }, seed },
        limits,
      },
    }
    frame.start(message, enginePort)
    this.#heartbeat = setInterval(() => {
      if (this.#unanswered++ >= 2) return this.#crash(this.#began === undefined ? notStarted : outOfMemory)
      frame.port.postMessage('ping')
    }, pingMs)
  }

  #hear(message: FrameMessage): void {
    const { request } = this
    this.#unanswered = 0
    switch (message.type) {
      case 'ready':
        clearTimeout(this.#timer)
        this.#began = performance.now()
        request.onStart?.(message.backend)
        return this.#watchTime(0)
      case 'pong':
        if (this.#began !== undefined) this.#watchTime(message.waitedMs)
        return
      case 'console':
        return request.onConsole?.(message.lines, message.dropped)
      case 'progress':
        return request.onProgress?.(message.done, message.total)
      case 'ledger':
        return request.onLedger?.(message.figures)
      case 'submit':
        this.#artefact = checkSubmission(message.artefact)
        return
      case 'finished':
        return this.#end({ status: 'finished', ...(this.#artefact ? { artefact: this.#artefact } : {}) })
      case 'flood':
        return this.#end({ status: 'flood', message: message.message })
      case 'failed': {
        const { code } = message.error
        // The compiled text begins on the line after the runtime's last.
        const error = mapStack(message.error, this.compiled.map, this.#runtimeLines + 1)
        return this.#end({ status: 'failed', error: { ...error, ...(code ? { code } : {}) } })
      }
    }
  }

  /** Ends the run when its own time is used up; until then asks again how much went by in waiting. */
  #watchTime(waitedMs: number): void {
    const mostMs = this.request.spec.seconds * 1000
    const elapsed = performance.now() - this.#began!
    const left = Math.min(mostMs - (elapsed - waitedMs), mostTimes * mostMs - elapsed)
    clearTimeout(this.#timer)
    if (left <= 0) return this.#end({ status: 'deadline' })
    this.#timer = setTimeout(() => this.#frame!.port.postMessage('ping'), left)
  }

  #end(ending: Ending): void {
    if (this.#closing.signal.aborted) return
    clearTimeout(this.#timer)
    clearInterval(this.#heartbeat)
    this.request.signal?.removeEventListener('abort', this.#cancel)
    this.#frame?.remove()
    if (!this.#frame) this.request.enginePort.close()
    this.#closing.abort()
    const seconds = this.#began === undefined ? this.seconds() : (performance.now() - this.#began) / 1000
    this.#settle({ ...ending, seconds } as ProgramOutcome)
  }
}
