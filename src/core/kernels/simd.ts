import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import bytes from 'virtual:perturb/simd-kernels'
import { platform } from '../platform.ts'

/** Addresses are bytes into tfjs' heap; what each takes is said in simd.as. */
export interface SimdKernels {
  filterGradient(
    ...a: [
      image: number,
      imageBytes: number,
      dy: number,
      n: number,
      outHeight: number,
      outWidth: number,
      channels: number,
      rowStep: number,
      columnStep: number,
      taps: number,
      vectors: number,
      sums: number,
      list: number,
    ]
  ): void
  inputGradient(
    ...a: [
      dy: number,
      filter: number,
      dx: number,
      n: number,
      outHeight: number,
      outWidth: number,
      channels: number,
      rowStep: number,
      columnStep: number,
      taps: number,
      vectors: number,
      image: number,
      imageBytes: number,
      first: number,
      imageRow: number,
      height: number,
      rowBytes: number,
      list: number,
    ]
  ): void
  padImages(
    ...a: [
      from: number,
      to: number,
      n: number,
      height: number,
      rowBytes: number,
      imageRow: number,
      imageBytes: number,
      first: number,
    ]
  ): void
  convolve(
    ...a: [
      image: number,
      imageBytes: number,
      filter: number,
      bias: number,
      out: number,
      n: number,
      outHeight: number,
      outWidth: number,
      groups: number,
      rowStep: number,
      columnStep: number,
      offsets: number,
      taps: number,
      relu: number,
    ]
  ): void
  maxPool2Gradient(
    ...a: [
      x: number,
      dy: number,
      dx: number,
      n: number,
      height: number,
      width: number,
      outHeight: number,
      outWidth: number,
      channels: number,
    ]
  ): void
  sumRows(x: number, out: number, n: number, size: number): void
  signs(x: number, out: number, count: number): void
  transpose(from: number, to: number, n: number, rows: number, columns: number): void
  reluGradient(dy: number, y: number, out: number, count: number): void
  adamStep(
    ...a: [
      state: number,
      gradient: number,
      next: number,
      size: number,
      beta1: number,
      beta2: number,
      keep1: number,
      keep2: number,
      rate: number,
      epsilon: number,
    ]
  ): void
}

/** Starts our kernels on the heap of tfjs' WASM backend; `shared`: compiled for one in shared memory. */
export async function startSimd(backend: BackendWasm, shared?: Uint8Array): Promise<SimdKernels> {
  const { asm, wasmMemory } = backend.wasm as unknown as { asm: { memory?: unknown }; wasmMemory?: unknown }
  const imports = { env: { memory: asm.memory ?? wasmMemory } }
  const { instance } = await platform.WebAssembly!.instantiate(shared ?? bytes, imports)
  return instance.exports as SimdKernels
}
