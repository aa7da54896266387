/**
 * The first half of the text that runs in the sandbox's classic worker; the learner's compiled program is
 * the second half and is handed to `__perturb` as a table of functions. Everything that can reach outside
 * is captured here and taken from the global before the program is read. No method of a shared prototype is
 * used to send, so that a program which rewrites prototypes sees nothing but its own messages.
 */
import '../../core/cpu-backend.ts'
import { createRng } from '../../core/rng.ts'
import { setBackend } from '../../core/tf.ts'
import { startWasm } from '../../core/wasm-backend.ts'
import type {
  CapabilityReply,
  ConsoleLine,
  RawError,
  WorkerAnswer,
  WorkerInit,
  WorkerMessage,
} from '../protocol.ts'
import { formatLine } from './format.ts'
import { createLab, type CallCapability } from './lab.ts'
import { lockDown } from './lockdown.ts'
import { runModules, type ModuleTable } from './modules.ts'

const now = performance.now.bind(performance)
const later = setTimeout
const scope: Record<string, unknown> = globalThis as never

const initialised = new Promise<{ init: WorkerInit; port: MessagePort }>((resolve) => {
  addEventListener(
    'message',
    (event: MessageEvent<WorkerInit>) => resolve({ init: event.data, port: event.ports[0]! }),
    { once: true },
  )
})
/** Called once the port is there; a rejection nobody caught ends the run with its own words. */
let reportLoose: (reason: unknown) => void = () => {}
addEventListener('unhandledrejection', (event) => {
  event.preventDefault()
  reportLoose(event.reason)
})

Error.stackTraceLimit = 40
lockDown(globalThis)

Object.defineProperty(scope, '__perturb', {
  configurable: true,
  value(table: ModuleTable) {
    delete scope.__perturb
    void run(table)
  },
})

async function run(table: ModuleTable): Promise<void> {
  const { init, port } = await initialised
  const channel = openChannel(port, init)
  reportLoose = (reason) => channel.send({ type: 'failed', error: toRawError(reason) })
  try {
    const backend = await startArithmetic(init.wasm)
    const { seed, values } = init.task
    const lab = await createLab({ access: init.access, seed, values, ...channel })
    const random = createRng(seed, 'Math.random')
    Math.random = () => random.uniform()
    scope.console = channel.console
    channel.send({ type: 'ready', backend })
    await runModules(table, lab.values, { console: channel.console, math: Math })
    channel.finish()
  } catch (error) {
    channel.flush()
    channel.send({ type: 'failed', error: toRawError(error) })
  }
}

async function startArithmetic(wasm: ArrayBuffer | null): Promise<'wasm' | 'cpu'> {
  if (wasm) {
    try {
      await startWasm(async () => new Uint8Array(wasm))
      return 'wasm'
    } catch {
      // No SIMD, or a policy that forbids WebAssembly: slower, but the same numbers to the last digits.
    }
  }
  await setBackend('cpu')
  return 'cpu'
}

function openChannel(port: MessagePort, { limits }: WorkerInit) {
  const post = port.postMessage.bind(port)
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  /** One request in flight for each capability: the next waits for the last. */
  const queues = new Map<string, Promise<unknown>>()
  let submission: (refusal?: { code: string; message: string }) => void = () => {}
  let nextId = 1

  port.onmessage = ({ data }: MessageEvent<WorkerAnswer>) => {
    if (data.type === 'submitted') submission(data.error)
    else settle(data.reply)
  }
  function settle(reply: CapabilityReply): void {
    const call = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('error' in reply) call?.reject(Object.assign(new Error(), reply.error))
    else call?.resolve(reply.value)
  }

  // The worker keeps to half of what the frame allows, so that an honest program is never a flood.
  const perSecond = limits.messagesPerSecond / 2
  let windowStart = 0
  let inWindow = 0
  const mayDraw = () => {
    const time = now()
    if (time - windowStart >= 1000) {
      windowStart = time
      inWindow = 0
    }
    return inWindow < perSecond / 4
  }
  const send = (message: WorkerMessage) => {
    inWindow++
    post(message)
  }
  /** The latest progress, when there was no room for it: a run that is done shows how far it came. */
  let undrawn: Extract<WorkerMessage, { type: 'progress' }> | undefined

  let pending: ConsoleLine[] = []
  let lines = 0
  let bytes = 0
  let dropped = 0
  let timer = false
  const flush = () => {
    if (!pending.length && !dropped) return
    const message: WorkerMessage = { type: 'console', lines: pending, dropped }
    pending = []
    dropped = 0
    send(message)
  }
  const write = (level: ConsoleLine['level'], values: readonly unknown[]) => {
    const text = lines >= limits.consoleLines ? '' : formatLine(values)
    if (lines >= limits.consoleLines || bytes + text.length > limits.consoleBytes) {
      dropped++
    } else {
      lines++
      bytes += text.length
      pending[pending.length] = { level, text }
      if (mayDraw()) return flush()
    }
    if (timer) return
    timer = true
    later(() => {
      timer = false
      flush()
    }, 100)
  }
  const printer =
    (level: ConsoleLine['level']) =>
    (...values: unknown[]) =>
      write(level, values)

  const ask = async (capability: string, args: unknown[]): Promise<unknown> => {
    while (now() - windowStart < 1000 && inWindow >= perSecond)
      await new Promise<void>((resolve) => later(resolve, 20))
    mayDraw()
    return new Promise((resolve, reject) => {
      const id = nextId++
      waiting.set(id, { resolve, reject })
      send({ type: 'call', request: { id, capability, args } })
    })
  }

  return {
    send,
    flush,
    call: (async (capability: string, ...args: unknown[]) => {
      // A reply arrives in a task of its own, so where the program stands is noted now.
      const place = new Error()
      const before = queues.get(capability) ?? Promise.resolve()
      const asked = before.then(() => ask(capability, args))
      queues.set(
        capability,
        asked.catch(() => {}),
      )
      try {
        return await asked
      } catch (error) {
        const { message, code } = error as Error & { code?: string }
        throw Object.assign(place, { message, ...(code ? { code } : {}) })
      }
    }) as CallCapability,
    async submit(artefact: Extract<WorkerMessage, { type: 'submit' }>['artefact']) {
      const place = new Error()
      flush()
      const refusal = await new Promise<{ code: string; message: string } | undefined>((resolve) => {
        submission = resolve
        send({ type: 'submit', artefact })
      })
      if (refusal) throw Object.assign(place, refusal)
    },
    progress(done: number, total: number) {
      undrawn = { type: 'progress', done, total }
      if (!mayDraw()) return
      send(undrawn)
      undrawn = undefined
    },
    finish() {
      flush()
      if (undrawn) send(undrawn)
      send({ type: 'finished' })
    },
    console: Object.freeze({
      log: printer('log'),
      info: printer('log'),
      debug: printer('log'),
      table: printer('log'),
      dir: printer('log'),
      warn: printer('warn'),
      error: printer('error'),
    }),
  }
}

/** Reads an error that may be hostile: getters that throw, fields of any kind. */
function toRawError(error: unknown): RawError {
  try {
    if (typeof error !== 'object' || error === null) return { message: `the program threw ${String(error)}` }
    const { name, message, stack, code } = error as {
      name: unknown
      message: unknown
      stack: unknown
      code: unknown
    }
    const title = typeof name === 'string' && !['Error', 'PerturbError'].includes(name) ? `${name}: ` : ''
    return {
      message: `${title}${String(message)}`,
      ...(typeof stack === 'string' ? { stack } : {}),
      ...(typeof code === 'string' ? { code } : {}),
    }
  } catch {
    return { message: 'the program threw an error that cannot be read' }
  }
}
