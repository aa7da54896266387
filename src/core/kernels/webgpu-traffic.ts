import { util, type DataId, type DataType, type TypedArray } from '../tf.ts'
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'

interface Uniforms {
  offset: number
  size: number
  buffer: object
}

interface Data {
  values: TypedArray | number[] | null
  resource?: object | null
  shape: number[]
  dtype: DataType
}

/** What tfjs keeps to itself (4.22). */
interface Inner {
  makeUniforms(numbers: { type: string; data: number[] }[]): Uniforms
  uniformPendingDisposal: object[]
  uploadToGPU(dataId: DataId): void
  tensorMap: { get(dataId: DataId): Data }
  bufferManager: { acquireBuffer(size: number, usage: number): object }
  queue: { writeBuffer(buffer: object, offset: number, data: TypedArray): void }
}

/** Sets of numbers kept on the device at once. */
const kept = 512
/** STORAGE, COPY_SRC and COPY_DST: as tfjs asks for a tensor's buffer. */
const usage = 0x80 | 0x4 | 0x8
const patched = new WeakSet<object>()

/**
 * Two things that tfjs does anew for every program and every upload, and that cost more than a small model's
 * arithmetic.
 */
export function spareTheDevice(backend: WebGPUBackend): void {
  if (patched.has(backend)) return
  patched.add(backend)
  reuseUniforms(backend as unknown as Inner)
  uploadDirectly(backend as unknown as Inner)
}

/**
 * tfjs writes shapes and constants into a buffer for each call. Equal numbers now share one that stays. The
 * oldest goes back to tfjs, which uses it again only after the commands that read it are on their way.
 */
function reuseUniforms(inner: Inner): void {
  const make = inner.makeUniforms.bind(inner)
  const known = new Map<string, Uniforms>()
  inner.makeUniforms = (numbers) => {
    const key = numbers.map(({ type, data }) => `${type[0]}${data.join()}`).join(';')
    const found = known.get(key)
    if (found) return found
    const made = make(numbers)
    // tfjs has noted it for release after the next submit.
    inner.uniformPendingDisposal.pop()
    known.set(key, made)
    if (known.size > kept) {
      const [oldest, { buffer }] = known.entries().next().value!
      known.delete(oldest)
      inner.uniformPendingDisposal.push(buffer)
    }
    return made
  }
}

/**
 * tfjs makes, maps and destroys a staging buffer for each upload into a buffer used before. The queue's own
 * staging does without; a free buffer has no commands that still wait to be sent, so the order is right.
 */
function uploadDirectly(inner: Inner): void {
  const upload = inner.uploadToGPU.bind(inner)
  inner.uploadToGPU = (dataId) => {
    const data = inner.tensorMap.get(dataId)
    const count = util.sizeFromShape(data.shape)
    const isFloat = data.dtype === 'float32'
    if (data.resource != null || !data.values || count === 0 || !(isFloat || data.dtype === 'int32'))
      return upload(dataId)
    const exact = isFloat ? Float32Array : Int32Array
    const values = data.values instanceof exact ? data.values : exact.from(data.values)
    const buffer = inner.bufferManager.acquireBuffer(4 * count, usage)
    inner.queue.writeBuffer(buffer, 0, values)
    data.values = null
    data.resource = buffer
  }
}
