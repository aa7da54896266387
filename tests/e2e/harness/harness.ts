/**
 * The app's own sandbox, engine and policy on a bare page, for tests that run hostile programs and look at
 * what they reached. Nothing of the sandbox is replaced.
 */
import { WorkerClient } from '../../../src/engine/client.ts'
import type { method as closeRun } from '../../../src/engine/methods/close-run.ts'
import type { method as openRun } from '../../../src/engine/methods/open-run.ts'
import type { method as start } from '../../../src/engine/methods/start.ts'
import type { LedgerSummary } from '../../../src/grading/artefact.ts'
import type { Task } from '../../../src/grading/grader.ts'
import { frameDocument, openFrame } from '../../../src/sandbox/frame.ts'
import type {
  CapabilityReply,
  ConsoleLine,
  FrameMessage,
  LedgerFigures,
  ProgramOutcome,
} from '../../../src/sandbox/protocol.ts'
import { limits, runProgram } from '../../../src/sandbox/run-program.ts'

export interface HarnessRun {
  files: Record<string, string>
  main?: string
  seconds?: number
  maxQueries?: number
  access?: string[]
  seed?: number
  /** Cancel this long after the program's first line of output. */
  cancelAfterMs?: number
}

export interface HarnessResult {
  outcome: ProgramOutcome
  backend: 'wasm' | 'cpu' | undefined
  lines: ConsoleLine[]
  dropped: number
  progress: [number, number][]
  figures: LedgerFigures[]
  ledger: LedgerSummary
  /** Ticks of a 20 ms timer, and the longest gap between two, while the program ran. */
  ticks: number
  longestGapMs: number
  /** From the abort to the answer. */
  cancelMs?: number
  /** Frames left in the page afterwards. */
  framesLeft: number
}

const engine = new WorkerClient('engine')
const base = new URL('.', document.baseURI)
const wasm = fetch(new URL('wasm/tfjs-backend-wasm-simd.wasm', base)).then((answer) => answer.arrayBuffer())
const started = engine.call<typeof start>('start', { backend: 'wasm' })
const task: Task = {
  victim: { model: 'digits-cnn' },
  dataset: 'mnist10k',
  split: 'test',
  ids: [0, 1, 2, 3],
  labels: [7, 2, 1, 0],
  values: { epsilon: 0.25, target: 3 },
}

async function run(request: HarnessRun): Promise<HarnessResult> {
  await started
  const spec = {
    access: request.access ?? ['victim', 'data'],
    maxQueries: request.maxQueries ?? 1000,
    seconds: request.seconds ?? 20,
  }
  const seed = request.seed ?? 1
  const { port1, port2 } = new MessageChannel()
  const { runId } = await engine.call<typeof openRun>(
    'open-run',
    { task, spec, seed, port: port1 },
    { transfer: [port1] },
  )
  const lines: ConsoleLine[] = []
  const progress: [number, number][] = []
  const figures: LedgerFigures[] = []
  const controller = new AbortController()
  let dropped = 0
  let backend: HarnessResult['backend']
  let cancelledAt: number | undefined
  let ticks = 0
  let longestGapMs = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    longestGapMs = Math.max(longestGapMs, now - last)
    last = now
    ticks++
  }, 20)
  const outcome = await runProgram({
    files: request.files,
    main: request.main ?? 'main.ts',
    task,
    seed,
    spec,
    enginePort: port2,
    wasmBytes: await wasm,
    signal: controller.signal,
    onStart: (name) => (backend = name),
    onConsole(batch, more) {
      lines.push(...batch)
      dropped += more
      if (request.cancelAfterMs === undefined || cancelledAt !== undefined) return
      cancelledAt = Infinity
      setTimeout(() => {
        cancelledAt = performance.now()
        controller.abort()
      }, request.cancelAfterMs)
    },
    onProgress: (done, total) => progress.push([done, total]),
    onLedger: (now) => figures.push(now),
  })
  const ended = performance.now()
  clearInterval(timer)
  const ledger = await engine.call<typeof closeRun>('close-run', { runId })
  return {
    outcome,
    backend,
    lines,
    dropped,
    progress,
    figures,
    ledger,
    ticks,
    longestGapMs,
    ...(cancelledAt === undefined ? {} : { cancelMs: ended - cancelledAt }),
    framesLeft: document.querySelectorAll('iframe').length,
  }
}

export interface Harness {
  run(request: HarnessRun): Promise<HarnessResult>
  /** The document of the sandbox's frame, to be filled with another worker. */
  frameDocument(): Promise<string>
  /** A worker that never met our runtime sends a million messages on the port it was given. */
  flood(): Promise<{ ended: FrameMessage | undefined; heard: number; ticks: number }>
  /** Requests that our runtime would never send, put to the engine's port itself. */
  hostileRequests(): Promise<CapabilityReply[]>
}

async function documentOfFrame(): Promise<string> {
  const { frameScript, frameScriptHash } = await import('virtual:perturb/sandbox-runtime')
  return frameDocument(frameScript, frameScriptHash)
}

async function flood(): ReturnType<Harness['flood']> {
  const { frameScript, frameScriptHash } = await import('virtual:perturb/sandbox-runtime')
  const frame = await openFrame(frameScript, frameScriptHash, new AbortController().signal)
  const { port1 } = new MessageChannel()
  let heard = 0
  let ended: FrameMessage | undefined
  let ticks = 0
  const timer = setInterval(() => ticks++, 20)
  frame.port.onmessage = ({ data }: MessageEvent<FrameMessage>) => {
    heard++
    if (data.type === 'flood') ended = data
  }
  const workerText = `onmessage = ({ ports: [port] }) => {
    port.postMessage({ type: 'ready', backend: 'cpu' })
    for (let i = 0; i < 1e6; i++) port.postMessage({ type: 'progress', done: i, total: 1e6 })
  }`
  frame.start(
    { type: 'start', workerText, init: { wasm: null, access: [], task: { values: {}, seed: 1 }, limits } },
    port1,
  )
  for (const end = performance.now() + 20_000; !ended && performance.now() < end;)
    await new Promise((go) => setTimeout(go, 20))
  await new Promise((go) => setTimeout(go, 500))
  clearInterval(timer)
  frame.remove()
  return { ended, heard, ticks }
}

async function hostileRequests(): Promise<CapabilityReply[]> {
  await started
  const { port1, port2 } = new MessageChannel()
  const spec = { access: ['victim'], maxQueries: 1000, seconds: 20 }
  const { runId } = await engine.call<typeof openRun>(
    'open-run',
    { task, spec, seed: 1, port: port1 },
    { transfer: [port1] },
  )
  const x = (values: unknown, shape: unknown = [1, 28, 28, 1], dtype: unknown = 'float32') => ({
    shape,
    dtype,
    values,
  })
  const pixels = new Float32Array(784)
  const requests: unknown[] = [
    { capability: 'oracle.scores', args: [x(pixels)] },
    { capability: '__proto__', args: [] },
    { capability: 'constructor', args: [] },
    { capability: 'victim.logits', args: [x(Float32Array.from(pixels, () => NaN))] },
    { capability: 'victim.logits', args: [x(Float32Array.from(pixels, () => Infinity))] },
    { capability: 'victim.logits', args: [x(pixels, [1, 14, 56, 1])] },
    { capability: 'victim.logits', args: [x(pixels, [-1, 28, 28, 1])] },
    { capability: 'victim.logits', args: [x(pixels, [2 ** 31, 28, 28, 1])] },
    { capability: 'victim.logits', args: [x(pixels, { length: 4, 0: 1, 1: 28, 2: 28, 3: 1 })] },
    { capability: 'victim.logits', args: [x(new Float64Array(784))] },
    { capability: 'victim.logits', args: [x(new Uint8Array(784), undefined, 'bool')] },
    { capability: 'victim.logits', args: [x([...pixels])] },
    { capability: 'victim.logits', args: [x(new Float32Array(0))] },
    { capability: 'victim.logits', args: [] },
    { capability: 'victim.logits', args: 'none' },
    {
      capability: 'victim.logits',
      args: [JSON.parse('{"__proto__": {"shape": [1, 28, 28, 1], "dtype": "float32"}}')],
    },
    { capability: 'victim.lossAndGradient', args: [x(pixels), Int32Array.of(10), null] },
    { capability: 'victim.lossAndGradient', args: [x(pixels), Int32Array.of(1, 2), null] },
    { capability: 'victim.lossAndGradient', args: [x(pixels), Int32Array.of(1), { kind: 'toString' }] },
    { capability: 7, args: [] },
  ]
  const replies: CapabilityReply[] = []
  for (const [i, request] of requests.entries()) {
    const reply = new Promise<CapabilityReply>(
      (resolve) => (port2.onmessage = ({ data }) => resolve(data as CapabilityReply)),
    )
    port2.postMessage({ id: i + 1, ...(request as object) })
    replies.push(await reply)
  }
  await engine.call<typeof closeRun>('close-run', { runId })
  return replies
}

Object.assign(window, {
  harness: { run, flood, hostileRequests, frameDocument: documentOfFrame } satisfies Harness,
})
