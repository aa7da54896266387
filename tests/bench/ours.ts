import { startBackend, type BackendName } from '../../src/core/backends.ts'
import { nameOf, offer, type Workload } from './workload.ts'

const files = import.meta.glob<Workload>('./workloads/*.ours.ts', { import: 'workload', eager: true })

async function fetchBytes(path: string): Promise<Uint8Array> {
  const response = await fetch(new URL(path, document.baseURI))
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

offer(
  (backend) => startBackend(backend as BackendName, fetchBytes),
  Object.fromEntries(Object.entries(files).map(([path, workload]) => [nameOf(path), workload])),
)
