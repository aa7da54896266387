/** What lies between tfjs' convolutions and those of simd.as: padded images, filters in the order of their vectors. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { backend_util, TensorInfo } from '../tf.ts'
import type { SimdKernels } from './simd.ts'

type Geometry = ReturnType<typeof backend_util.computeConv2DInfo>

/** Registers' worth of vectors: lists of taps are filled up to a multiple (BLOCK in simd.as). */
const block = 10
/** A vector may reach this many floats behind the last image. */
const slack = 4

/** Where things lie in a padded image that every window fits in; all in bytes but `height`. */
function layoutOf(info: Geometry) {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight, filterWidth } = info
  const { strideHeight, strideWidth, padInfo } = info
  const height = Math.max((outHeight - 1) * strideHeight + filterHeight, padInfo.top + inHeight)
  const width = Math.max((outWidth - 1) * strideWidth + filterWidth, padInfo.left + inWidth)
  const imageRow = 4 * width * inChannels
  return {
    imageRow,
    imageBytes: height * imageRow,
    /** The first element that is not padding. */
    first: padInfo.top * imageRow + 4 * padInfo.left * inChannels,
    rowBytes: 4 * inWidth * inChannels,
    rowStep: strideHeight * imageRow,
    columnStep: 4 * strideWidth * inChannels,
    /** Vectors in a row of the filter, and in the whole, filled up. */
    rowVectors: Math.ceil((filterWidth * inChannels) / 4),
    vectors: block * Math.ceil((filterHeight * Math.ceil((filterWidth * inChannels) / 4)) / block),
  }
}

/** Scratch on tfjs' heap, all freed together. Ask for all of it before taking views or addresses. */
function scratchOf(backend: BackendWasm) {
  const made: TensorInfo[] = []
  return {
    floats(count: number): TensorInfo {
      const info = backend.makeOutput([count], 'float32')
      made.push(info)
      return info
    },
    free() {
      for (const { dataId } of made) backend.disposeData(dataId)
    },
  }
}

const floatsOf = (backend: BackendWasm, info: TensorInfo) => backend.typedArrayFromHeap(info) as Float32Array
const addressOf = (backend: BackendWasm, info: TensorInfo) => backend.typedArrayFromHeap(info).byteOffset

function writeTaps(
  backend: BackendWasm,
  taps: TensorInfo,
  { imageRow, rowVectors }: ReturnType<typeof layoutOf>,
  filterHeight: number,
): void {
  const floats = floatsOf(backend, taps).fill(0)
  const offsets = new Uint32Array(floats.buffer, floats.byteOffset, floats.length)
  for (let i = 0, at = 0; i < filterHeight; i++)
    for (let k = 0; k < rowVectors; k++) offsets[at++] = i * imageRow + 16 * k
}

export function simdFilterGradient(
  simd: SimdKernels,
  backend: BackendWasm,
  info: Geometry,
  x: TensorInfo,
  dy: TensorInfo,
): TensorInfo {
  const layout = layoutOf(info)
  const { batchSize, inHeight, outHeight, outWidth, outChannels, filterHeight } = info
  const { imageRow, imageBytes, first, rowBytes, rowStep, columnStep, vectors, rowVectors } = layout
  const out = backend.makeOutput(info.filterShape, 'float32')
  const scratch = scratchOf(backend)
  const images = scratch.floats((batchSize * imageBytes) / 4 + slack)
  const taps = scratch.floats(vectors)
  const sums = scratch.floats(outChannels * vectors * 4)
  const list = scratch.floats((outHeight * outWidth + 1) * 2)
  writeTaps(backend, taps, layout, filterHeight)
  const image = addressOf(backend, images)
  simd.padImages(addressOf(backend, x), image, batchSize, inHeight, rowBytes, imageRow, imageBytes, first)
  simd.filterGradient(
    image,
    imageBytes,
    addressOf(backend, dy),
    batchSize,
    outHeight,
    outWidth,
    outChannels,
    rowStep,
    columnStep,
    addressOf(backend, taps),
    vectors,
    addressOf(backend, sums),
    addressOf(backend, list),
  )
  const from = floatsOf(backend, sums)
  const to = floatsOf(backend, out)
  const length = info.filterWidth * info.inChannels
  for (let c = 0; c < outChannels; c++) {
    for (let i = 0; i < filterHeight; i++) {
      const source = 4 * (c * vectors + i * rowVectors)
      for (let j = 0; j < length; j++) to[(i * length + j) * outChannels + c] = from[source + j]!
    }
  }
  scratch.free()
  return out
}

export function simdInputGradient(
  simd: SimdKernels,
  backend: BackendWasm,
  info: Geometry,
  dy: TensorInfo,
  filter: TensorInfo,
): TensorInfo {
  const layout = layoutOf(info)
  const { batchSize, inHeight, outHeight, outWidth, outChannels, filterHeight } = info
  const { imageRow, imageBytes, first, rowBytes, rowStep, columnStep, vectors, rowVectors } = layout
  const out = backend.makeOutput(info.inShape, 'float32')
  const scratch = scratchOf(backend)
  const image = scratch.floats(imageBytes / 4 + slack)
  const taps = scratch.floats(vectors)
  const packed = scratch.floats(outChannels * vectors * 4)
  const list = scratch.floats((outChannels + 1) * 2)
  writeTaps(backend, taps, layout, filterHeight)
  const from = floatsOf(backend, filter)
  const to = floatsOf(backend, packed).fill(0)
  const length = info.filterWidth * info.inChannels
  for (let i = 0, at = 0; i < filterHeight; i++) {
    for (let j = 0; j < length; j++) {
      const target = 4 * i * rowVectors + j
      for (let c = 0; c < outChannels; c++) to[4 * c * vectors + target] = from[at++]!
    }
  }
  simd.inputGradient(
    addressOf(backend, dy),
    addressOf(backend, packed),
    addressOf(backend, out),
    batchSize,
    outHeight,
    outWidth,
    outChannels,
    rowStep,
    columnStep,
    addressOf(backend, taps),
    vectors,
    addressOf(backend, image),
    imageBytes + 4 * slack,
    first,
    imageRow,
    inHeight,
    rowBytes,
    addressOf(backend, list),
  )
  scratch.free()
  return out
}

/** Output channels must be a multiple of four. */
export function simdConvolution(
  simd: SimdKernels,
  backend: BackendWasm,
  info: Geometry,
  x: TensorInfo,
  filter: TensorInfo,
  bias: TensorInfo | undefined,
  relu: boolean,
): TensorInfo {
  const { batchSize, inHeight, inChannels, outHeight, outWidth, outChannels, filterHeight, filterWidth } =
    info
  const { imageRow, imageBytes, first, rowBytes, rowStep, columnStep } = layoutOf(info)
  const out = backend.makeOutput(info.outShape, 'float32')
  const scratch = scratchOf(backend)
  const taps = filterHeight * filterWidth * inChannels
  const groups = outChannels / 4
  const images = scratch.floats((batchSize * imageBytes) / 4 + slack)
  const offsets = scratch.floats(taps)
  const packed = scratch.floats(taps * outChannels)
  const biases = bias ?? scratch.floats(outChannels)
  if (!bias) floatsOf(backend, biases).fill(0)
  const floats = floatsOf(backend, offsets)
  const places = new Uint32Array(floats.buffer, floats.byteOffset, taps)
  const length = filterWidth * inChannels
  for (let tap = 0; tap < taps; tap++) places[tap] = Math.floor(tap / length) * imageRow + 4 * (tap % length)
  const from = floatsOf(backend, filter)
  const to = floatsOf(backend, packed)
  for (let tap = 0, at = 0; tap < taps; tap++) {
    for (let group = 0; group < groups; group++) {
      const target = 4 * (group * taps + tap)
      for (let lane = 0; lane < 4; lane++) to[target + lane] = from[at++]!
    }
  }
  const image = addressOf(backend, images)
  simd.padImages(addressOf(backend, x), image, batchSize, inHeight, rowBytes, imageRow, imageBytes, first)
  simd.convolve(
    image,
    imageBytes,
    addressOf(backend, packed),
    addressOf(backend, biases),
    addressOf(backend, out),
    batchSize,
    outHeight,
    outWidth,
    groups,
    rowStep,
    columnStep,
    addressOf(backend, offsets),
    taps,
    relu ? 1 : 0,
  )
  scratch.free()
  return out
}
