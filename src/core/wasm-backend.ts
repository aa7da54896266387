/**
 * WebAssembly, SIMD, one thread unless asked for more: the referee's backend, and the sandbox's. Kept apart from
 * backends.ts so that the sandbox's runtime can include this one and nothing of the GPU.
 */
import { setThreadsCount, setWasmPaths, type BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { PerturbError } from './errors.ts'
import { startSimd } from './kernels/simd.ts'
import { registerWasmKernels } from './kernels/wasm.ts'
import { platform } from './platform.ts'
import { backend, env, setBackend } from './tf.ts'

/** Gives the bytes of a file below static/, or of a tfjs binary asked for as `wasm/<file>`. */
export type FetchBytes = (path: string) => Promise<Uint8Array>

/** More than one thread, as threadsHere found it possible. */
export interface WasmThreads {
  count: number
  /** File of the binary below wasm/. */
  binary: string
  /** Our own kernels, compiled for a heap in shared memory. */
  kernels: Uint8Array
}

let started: Promise<void> | undefined
/** Offered by the heap, and not begun yet. */
let threadsOffered = 1
let threadsRunning = 1

/** Threads that tfjs' kernels run on; ours run on one. */
export const wasmThreads = (): number => threadsRunning

/** Whether more can begin: once, since the workers of a second pool would have to be made while this thread waits. */
export const offersThreads = (): boolean => threadsOffered > 1

/** Lets tfjs' kernels run on all threads that startWasm was offered. */
export function beginThreads(): void {
  threadsRunning = setThreads(threadsOffered)
  threadsOffered = 1
}

/** Back to one, for good. */
export function endThreads(): void {
  threadsRunning = setThreads(1)
}

function setThreads(count: number): number {
  const { tfjs } = (backend() as BackendWasm).wasm
  tfjs.initWithThreadsCount(count)
  return tfjs.getThreadsCount()
}

/**
 * Makes WASM the current backend. The binary's bytes come by injection, since Node, a worker and the
 * sandbox each have another way to them. Throws PerturbError `unavailable` when the machine or its
 * security policy allows no WebAssembly, or the bytes are not the binary.
 */
export async function startWasm(fetchBytes: FetchBytes, threads?: WasmThreads): Promise<void> {
  started ??= initialise(fetchBytes, threads)
  try {
    await started
  } catch (error) {
    started = undefined
    throw error
  }
  await setBackend('wasm')
}

async function initialise(fetchBytes: FetchBytes, threads?: WasmThreads): Promise<void> {
  if (!platform.WebAssembly) throw new PerturbError('unavailable', 'WASM: this browser has no WebAssembly')
  const simd = await env().getAsync('WASM_HAS_SIMD_SUPPORT')
  const many = simd ? threads : undefined
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', many !== undefined)
  if (many) setThreadsCount(1)
  const file = many?.binary ?? (simd ? 'tfjs-backend-wasm-simd.wasm' : 'tfjs-backend-wasm.wasm')
  const bytes = await fetchBytes(`wasm/${file}`)
  try {
    // tfjs waits for ever when the binary does not compile, so find that out first.
    await platform.WebAssembly.compile(bytes)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new PerturbError(
      'unavailable',
      `WASM: wasm/${file} (${bytes.length} bytes) does not compile: ${detail}`,
      {
        cause: error,
      },
    )
  }
  setWasmPaths('./', true)
  const tfjsPlatform = env().platform
  const fetchBefore = tfjsPlatform.fetch
  tfjsPlatform.fetch = async () => ({ ok: true, arrayBuffer: async () => bytes.slice().buffer }) as never
  try {
    if (!(await setBackend('wasm'))) {
      throw new PerturbError('unavailable', 'WASM: tfjs could not start its WebAssembly backend')
    }
  } finally {
    tfjsPlatform.fetch = fetchBefore
  }
  threadsOffered = many?.count ?? 1
  registerWasmKernels(simd ? await startSimd(backend() as BackendWasm, many?.kernels) : undefined)
}
