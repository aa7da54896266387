import { startBackend, type BackendName } from '../../src/core/backends.ts'
import { beginThreads, wasmThreads } from '../../src/core/wasm-backend.ts'
import * as tf from '../../src/core/tf.ts'
import { nameOf, offer, type Growth, type Workload } from './workload.ts'

const named = <T>(files: Record<string, T>) =>
  Object.fromEntries(Object.entries(files).map(([path, value]) => [nameOf(path), value]))

async function fetchBytes(path: string): Promise<Uint8Array> {
  const response = await fetch(new URL(path, document.baseURI))
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

/** `ours.html#threads`: as the engine may run on an isolated page. */
const threads = location.hash === '#threads'

offer(
  tf,
  async (backend) => {
    await startBackend(backend as BackendName, fetchBytes, {
      threadsFrom: threads ? new URL('.', document.baseURI).href : undefined,
    })
    if (!threads) return
    beginThreads()
    if (wasmThreads() === 1) throw new Error('no second thread')
  },
  named(import.meta.glob<Workload>('./workloads/*.ours.ts', { import: 'workload', eager: true })),
  named(import.meta.glob<Growth>('./growth/*.ts', { import: 'growth', eager: true })),
)
