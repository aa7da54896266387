import { PerturbError, toPlainError } from '../core/errors.ts'
import type { Method } from './method.ts'
import type { FromWorker, ToWorker } from './protocol.ts'
import type { Workshop } from './workshop.ts'

export type AnyMethod = Method<unknown, unknown>
export type MethodLoaders = Record<string, () => Promise<AnyMethod>>

/** Methods by name, each a chunk of its own; a new one is a new file in methods/. */
export const methodLoaders: MethodLoaders = Object.fromEntries(
  Object.entries(import.meta.glob<AnyMethod>('./methods/*.ts', { import: 'method' })).map(([path, load]) => [
    path.slice('./methods/'.length, -'.ts'.length),
    load,
  ]),
)

/**
 * Answers calls with methods. Calls run side by side: a method gives way between its batches, so a
 * cancel is heard and a slider answers while a long one works.
 */
export function createDispatcher(
  workshop: Workshop,
  post: (message: FromWorker, transfer?: Transferable[]) => void,
  methods: MethodLoaders = methodLoaders,
) {
  const running = new Map<number, AbortController>()

  async function answer(id: number, name: string, params: unknown): Promise<void> {
    const controller = new AbortController()
    running.set(id, controller)
    const { signal } = controller
    const progress = (done: number, total: number, values?: Record<string, number>) => {
      if (!signal.aborted) post({ type: 'progress', id, done, total, values })
    }
    try {
      const method = await find(name, workshop.role, methods)
      const run = () => method.run(params, { signal, progress }, workshop)
      const value = await (method.own ? run() : workshop.attempt(run))
      post({ type: 'result', id, value }, method.transfer?.(value) ?? [])
    } catch (error) {
      post({ type: 'error', id, error: toPlainError(error) })
      if (isBroken(error)) workshop.emit('broken', error instanceof Error ? error.message : String(error))
    } finally {
      running.delete(id)
    }
  }

  return {
    handle(message: ToWorker): void {
      if (message.type === 'call') void answer(message.id, message.method, message.params)
      if (message.type === 'cancel') running.get(message.id)?.abort()
    },
  }
}

async function find(name: string, role: Workshop['role'], methods: MethodLoaders): Promise<AnyMethod> {
  const load = Object.hasOwn(methods, name) ? methods[name] : undefined
  if (!load)
    throw new PerturbError(
      'missing',
      `no method "${name}"; the methods are ${Object.keys(methods).join(', ')}`,
    )
  const method = await load()
  if (method.name !== name)
    throw new Error(
      `src/engine/methods/${name}.ts: the method's name must be the file's, "${name}"; got "${method.name}"`,
    )
  if (!method.runsOn.includes(role))
    throw new PerturbError(
      'bad-input',
      `${name} runs on the ${method.runsOn.join(' or ')}; this is the ${role}`,
    )
  return method
}

/** After a trap the WASM binary's memory cannot be trusted: only a fresh worker helps. */
function isBroken(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError
}
