/** STUB, replaced by the core helper: see the doc comments for the contract. */
import * as tf from './tf.ts'

export type BackendName = 'webgpu' | 'webgl' | 'wasm' | 'cpu'

/** What the badge and the doctor page show. */
export interface BackendReport {
  name: BackendName
  /** Adapter or processor in words, e.g. "Apple M2" or "SIMD, one thread". */
  device: string
  /** Why this one: "fastest of three measured", "chosen by you", "WebGPU has only a software adapter". */
  why: string
  probes: { name: BackendName; available: boolean; reason?: string; ms?: number }[]
}

export type FetchBytes = (path: string) => Promise<Uint8Array>

/** Starts one named backend; bytes of the WASM binary come by injection (fetch, disk or a port). */
export declare function startBackend(name: BackendName, fetchBytes: FetchBytes): Promise<void>
void tf
