/**
 * More than one thread for tfjs' own WASM kernels (its forward convolutions and products), on a page that is
 * cross-origin isolated: only there do browsers share memory. Kept apart from wasm-backend.ts so that the sandbox's
 * runtime includes nothing of it.
 */
import sharedKernels from 'virtual:perturb/simd-kernels-shared'
import { threadScript } from 'virtual:perturb/tfjs-thread-script'
import { platform } from './platform.ts'
import type { WasmThreads } from './wasm-backend.ts'

/** As tfjs counts: one for each two cores that the browser tells of, and no more than four. */
const threadsOf = (cores: number) => Math.min(4, Math.floor(cores / 2))

/**
 * What a start with threads needs; nothing where the page is not isolated, has too few cores, or may not make such
 * workers (a security policy). base: the absolute address of the app's folder.
 */
export async function threadsHere(base: string): Promise<WasmThreads | undefined> {
  const count = threadsOf(platform.navigator?.hardwareConcurrency ?? 1)
  const script = `${base}wasm/tfjs-backend-wasm-threaded-simd.js`
  if (!platform.crossOriginIsolated || count < 2 || !(await mayRun(script))) return undefined
  threadScript.address = script
  return { count, binary: 'tfjs-backend-wasm-threaded-simd.wasm', kernels: sharedKernels }
}

/** Whether a worker made as tfjs makes its own can load the script: tfjs would wait for ever for one that does not come. */
function mayRun(script: string): Promise<boolean> {
  const { Blob, URL, Worker } = platform
  if (!Blob || !URL || !Worker) return Promise.resolve(false)
  const text = `importScripts(${JSON.stringify(script)});postMessage(0)`
  const address = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
  return new Promise<boolean>((resolve) => {
    try {
      const worker = new Worker(address)
      const answer = (may: boolean) => {
        worker.terminate()
        resolve(may)
      }
      worker.onmessage = () => answer(true)
      worker.onerror = (event) => {
        event.preventDefault()
        answer(false)
      }
      platform.setTimeout(() => answer(false), 3000)
    } catch {
      resolve(false)
    }
  }).finally(() => URL.revokeObjectURL(address))
}
