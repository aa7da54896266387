import type { GpuTraffic } from '../../src/cli/bench/page.ts'

interface Encoder {
  prototype: { dispatchWorkgroups(): void }
}
interface Buffer {
  prototype: { mapAsync(): void }
}
interface Queue {
  submit(): void
  writeBuffer(): void
}

/**
 * Counts what a started WebGPU backend of tfjs does from now on, without changing it. Call once; the answer
 * returns the counts since it was last asked.
 */
export function countTraffic(backend: unknown): () => GpuTraffic {
  const { queue, device } = backend as { queue?: Queue; device?: object }
  if (!(queue && device)) throw new Error('count after WebGPU has started')
  const none = { dispatches: 0, submits: 0, uploads: 0, uploadedBytes: 0, readBacks: 0 }
  let traffic: GpuTraffic = { ...none }
  const before = <T extends object>(owner: T, name: keyof T & string, note: (...given: never[]) => void) => {
    const original = owner[name] as (...given: never[]) => unknown
    Object.assign(owner, {
      [name](this: unknown, ...given: never[]) {
        note(...given)
        return original.apply(this, given)
      },
    })
  }
  const { GPUComputePassEncoder, GPUBuffer } = globalThis as unknown as {
    GPUComputePassEncoder: Encoder
    GPUBuffer: Buffer
  }
  before(queue, 'submit', () => void traffic.submits++)
  before(queue, 'writeBuffer', (_: never, __: never, data: ArrayBufferView, ___: never, size?: number) => {
    traffic.uploads++
    traffic.uploadedBytes += size ?? data.byteLength
  })
  before(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', () => void traffic.dispatches++)
  before(GPUBuffer.prototype, 'mapAsync', () => void traffic.readBacks++)
  return () => {
    const counted = traffic
    traffic = { ...none }
    return counted
  }
}
