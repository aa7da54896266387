/**
 * WebAssembly, SIMD, one thread: the referee's backend, and the sandbox's. Kept apart from backends.ts so
 * that the sandbox's runtime can include this one and nothing of the GPU.
 */
import { setWasmPaths, type BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { PerturbError } from './errors.ts'
import { startSimd } from './kernels/simd.ts'
import { registerWasmKernels } from './kernels/wasm.ts'
import { platform } from './platform.ts'
import { backend, env, setBackend } from './tf.ts'

/** Gives the bytes of a file below static/, or of a tfjs binary asked for as `wasm/<file>`. */
export type FetchBytes = (path: string) => Promise<Uint8Array>

let started: Promise<void> | undefined

/**
 * Makes WASM the current backend. The binary's bytes come by injection, since Node, a worker and the
 * sandbox each have another way to them. Throws PerturbError `unavailable` when the machine or its
 * security policy allows no WebAssembly, or the bytes are not the binary.
 */
export async function startWasm(fetchBytes: FetchBytes): Promise<void> {
  started ??= initialise(fetchBytes)
  try {
    await started
  } catch (error) {
    started = undefined
    throw error
  }
  await setBackend('wasm')
}

async function initialise(fetchBytes: FetchBytes): Promise<void> {
  if (!platform.WebAssembly) throw new PerturbError('unavailable', 'WASM: this browser has no WebAssembly')
  // Threads break in a minified build, and would need headers that an LMS frame cannot send.
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  const simd = await env().getAsync('WASM_HAS_SIMD_SUPPORT')
  const file = simd ? 'tfjs-backend-wasm-simd.wasm' : 'tfjs-backend-wasm.wasm'
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
  registerWasmKernels(simd ? await startSimd(backend() as BackendWasm) : undefined)
}
