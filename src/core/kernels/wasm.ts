/**
 * Kernels that tfjs' WASM backend lacks or has only slowly. Where SIMD is, those of simd.as do the work; else,
 * and for what they do not cover, tfjs' own fast kernels (XNNPACK's convolution and product) are composed with
 * plain loops over the WASM heap. With them WASM trains convolutions.
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { PerturbError } from '../errors.ts'
import {
  backend_util,
  getKernel,
  registerKernel,
  slice_util,
  unregisterKernel,
  util,
  type KernelFunc,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from '../tf.ts'
import { poolGeometry } from './pooling.ts'
import type { SimdKernels } from './simd.ts'
import { simdConvolution, simdFilterGradient, simdInputGradient } from './wasm-convolution.ts'

interface Call {
  inputs: Record<string, TensorInfo>
  attrs: Record<string, unknown>
  backend: BackendWasm
  simd?: SimdKernels
  /** The kernel that this one replaces, if there was one. */
  stock?: KernelFunc
}
type Kernel = (call: Call) => TensorInfo

/** What a kernel of ours may find it does not cover: the composed or the stock one does it. */
const kernels: Record<string, Kernel> = {
  Conv2D: convolution,
  FusedConv2D: convolution,
  Conv2DBackpropFilter: conv2dFilterGradient,
  Conv2DBackpropInput: conv2dInputGradient,
  DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient,
  DepthwiseConv2dNativeBackpropInput: depthwiseInputGradient,
  MaxPoolGrad: maxPoolGradient,
  UnsortedSegmentSum: unsortedSegmentSum,
  BatchMatMul: product,
  _FusedMatMul: fusedProduct,
  Sign: sign,
  Sum: sum,
  Identity: identity,
  Slice: slice,
  AdamStep: adamStep,
  ReluGradient: reluGradient,
}

/** What only our own SIMD kernels make worth replacing, or possible. */
const simdOnly = new Set(['Sum', 'AdamStep', 'ReluGradient'])

/** Installs them on 'wasm'; call once, after the backend has started. `simd` is missing where the machine has none. */
export function registerWasmKernels(simd: SimdKernels | undefined): void {
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    if (!simd && simdOnly.has(kernelName)) continue
    const stock = getKernel(kernelName, 'wasm')
    if (stock) unregisterKernel(kernelName, 'wasm')
    registerKernel({
      kernelName,
      backendName: 'wasm',
      ...(stock?.setupFunc ? { setupFunc: stock.setupFunc } : {}),
      kernelFunc: ({ inputs, attrs, backend }) =>
        kernel({
          inputs: inputs as Record<string, TensorInfo>,
          attrs: (attrs ?? {}) as Record<string, unknown>,
          backend: backend as BackendWasm,
          ...(simd ? { simd } : {}),
          ...(stock ? { stock: stock.kernelFunc } : {}),
        }),
    })
  }
}

const call = (
  name: string,
  backend: BackendWasm,
  inputs: NamedTensorInfoMap,
  attrs: NamedAttrMap,
): TensorInfo => getKernel(name, 'wasm').kernelFunc({ inputs, attrs, backend }) as TensorInfo

/** A view of a tensor's numbers. Allocating may move the heap: take views after every makeOutput. */
const heap = (backend: BackendWasm, info: TensorInfo) => backend.typedArrayFromHeap(info) as Float32Array

type Shape4 = [number, number, number, number]
type Pad =
  'valid' | 'same' | number | [[number, number], [number, number], [number, number], [number, number]]

function geometry(xShape: number[], filterShape: number[], attrs: Record<string, unknown>) {
  const { strides, pad, dimRoundingMode, dataFormat } = attrs
  if (dataFormat !== undefined && dataFormat !== 'NHWC') {
    throw new PerturbError(
      'bad-input',
      `WASM convolution gradients: expected NHWC, got ${String(dataFormat)}`,
    )
  }
  return backend_util.computeConv2DInfo(
    xShape as Shape4,
    filterShape as Shape4,
    strides as number | [number, number],
    1,
    pad as Pad,
    dimRoundingMode as 'floor' | undefined,
  )
}

/** Few input channels leave XNNPACK's vectors almost empty; ours lie along the output channels. */
const fewChannels = 3

function convolution({ inputs, attrs, backend, stock, simd }: Call): TensorInfo {
  const { x, filter, bias, preluActivationWeights } = inputs as Record<string, TensorInfo>
  const { activation = 'linear', dataFormat = 'NHWC', dilations = 1 } = attrs
  if (dataFormat !== 'NHWC' || [dilations].flat().some((step) => step !== 1))
    return stock!({ inputs, attrs: attrs as never, backend }) as TensorInfo
  const info = geometry(x!.shape, filter!.shape, attrs)
  const isCovered =
    info.inChannels <= fewChannels &&
    info.outChannels % 4 === 0 &&
    !preluActivationWeights &&
    (activation === 'linear' || activation === 'relu')
  if (simd && isCovered) return simdConvolution(simd, backend, info, x!, filter!, bias, activation === 'relu')
  // Told 'same', the stock kernel computes nothing where the step is longer than the filter, as in a shortcut
  // of 1 × 1 and step 2.
  const { top, bottom, left, right } = info.padInfo
  const pad = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ]
  return stock!({ inputs, attrs: { ...attrs, pad } as never, backend }) as TensorInfo
}

/**
 * dW[i, j, ci, co] = Σ x[n, s·oh + i, s·ow + j, ci] · dy[n, oh, ow, co] is itself a convolution, with batch
 * and channels exchanged: the images are x's channels (their N values the depth), the filter is dy, and
 * the forward stride becomes the filter's dilation.
 */
function conv2dFilterGradient({ inputs, attrs, backend, simd }: Call): TensorInfo {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo }
  const info = geometry(x.shape, attrs.filterShape as number[], attrs)
  if (simd) return simdFilterGradient(simd, backend, info, x, dy)
  const { batchSize: n, inHeight, inWidth, inChannels: ci, outHeight, outWidth, outChannels: co } = info
  const { filterHeight, filterWidth, strideHeight, strideWidth } = info
  const height = (outHeight - 1) * strideHeight + filterHeight
  const width = (outWidth - 1) * strideWidth + filterWidth
  const { top, left } = info.padInfo

  const images = backend.makeOutput([ci, height, width, n], 'float32')
  const filter = backend.makeOutput([outHeight, outWidth, n, co], 'float32')
  {
    const from = heap(backend, x)
    const to = heap(backend, images).fill(0)
    const firstRow = Math.max(0, top)
    const firstColumn = Math.max(0, left)
    const endRow = Math.min(height, inHeight + top)
    const endColumn = Math.min(width, inWidth + left)
    const image = inHeight * inWidth * ci
    for (let row = firstRow; row < endRow; row++) {
      for (let column = firstColumn; column < endColumn; column++) {
        const source = ((row - top) * inWidth + column - left) * ci
        for (let c = 0; c < ci; c++) {
          const target = ((c * height + row) * width + column) * n
          for (let i = 0, at = source + c; i < n; i++, at += image) to[target + i] = from[at]!
        }
      }
    }
    const gradient = heap(backend, dy)
    const packed = heap(backend, filter)
    const pixels = outHeight * outWidth
    for (let i = 0, at = 0; i < n; i++) {
      for (let pixel = 0; pixel < pixels; pixel++) {
        const target = (pixel * n + i) * co
        for (let c = 0; c < co; c++) packed[target + c] = gradient[at++]!
      }
    }
  }
  const moved = call(
    'Conv2D',
    backend,
    { x: images, filter },
    {
      strides: [1, 1],
      pad: 'valid',
      dataFormat: 'NHWC',
      dilations: [strideHeight, strideWidth],
    },
  )
  backend.disposeData(images.dataId)
  backend.disposeData(filter.dataId)
  const out = call('Transpose', backend, { x: moved }, { perm: [1, 2, 0, 3] })
  backend.disposeData(moved.dataId)
  return out
}

/**
 * The gradient by the input is a convolution of dy, spread out by the stride and padded, with the filter
 * turned by 180° and its channels exchanged. The stock kernel is five nested loops.
 */
function conv2dInputGradient({ inputs, attrs, backend, stock, simd }: Call): TensorInfo {
  const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo }
  const info = geometry(attrs.inputShape as number[], filter.shape, attrs)
  if (simd) return simdInputGradient(simd, backend, info, dy, filter)
  const { batchSize: n, inHeight, inWidth, inChannels: ci, outHeight, outWidth, outChannels: co } = info
  const { filterHeight, filterWidth, strideHeight, strideWidth } = info
  const top = filterHeight - 1 - info.padInfo.top
  const left = filterWidth - 1 - info.padInfo.left
  const height = (outHeight - 1) * strideHeight + 1
  const width = (outWidth - 1) * strideWidth + 1
  const bottom = inHeight + filterHeight - 1 - height - top
  const right = inWidth + filterWidth - 1 - width - left
  if (Math.min(top, left, bottom, right) < 0 && stock)
    return stock({ inputs, attrs: attrs as never, backend }) as TensorInfo

  const isStrided = strideHeight > 1 || strideWidth > 1
  const turned = backend.makeOutput([filterHeight, filterWidth, co, ci], 'float32')
  const spread = isStrided ? backend.makeOutput([n, height, width, co], 'float32') : dy
  const from = heap(backend, filter)
  const to = heap(backend, turned)
  const taps = filterHeight * filterWidth
  for (let tap = 0, at = 0; tap < taps; tap++) {
    const target = (taps - 1 - tap) * co * ci
    for (let i = 0; i < ci; i++) for (let o = 0; o < co; o++) to[target + o * ci + i] = from[at++]!
  }
  if (isStrided) {
    const gradient = heap(backend, dy)
    const zeros = heap(backend, spread).fill(0)
    let at = 0
    for (let i = 0; i < n; i++) {
      for (let row = 0; row < outHeight; row++) {
        for (let column = 0; column < outWidth; column++) {
          const target = ((i * height + row * strideHeight) * width + column * strideWidth) * co
          for (let c = 0; c < co; c++) zeros[target + c] = gradient[at++]!
        }
      }
    }
  }
  const out = call(
    'Conv2D',
    backend,
    { x: spread, filter: turned },
    {
      strides: [1, 1],
      pad: [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ],
      dataFormat: 'NHWC',
      dilations: [1, 1],
    },
  )
  backend.disposeData(turned.dataId)
  if (isStrided) backend.disposeData(spread.dataId)
  return out
}

type Tap = (x: number, weight: number, y: number) => void

/** Calls back with the places in x, filter and y of every product that a depthwise convolution sums. */
function depthwiseTaps(
  xShape: number[],
  filterShape: number[],
  attrs: Record<string, unknown>,
  tap: Tap,
): void {
  const { strides, dilations, pad, dimRoundingMode } = attrs
  const info = backend_util.computeConv2DInfo(
    xShape as Shape4,
    filterShape as Shape4,
    strides as [number, number],
    (dilations ?? 1) as [number, number],
    pad as Pad,
    dimRoundingMode as 'floor' | undefined,
    true,
  )
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = info
  const multiplier = outChannels / inChannels
  for (let n = 0; n < batchSize; n++) {
    for (let outRow = 0; outRow < outHeight; outRow++) {
      for (let outColumn = 0; outColumn < outWidth; outColumn++) {
        const y = ((n * outHeight + outRow) * outWidth + outColumn) * outChannels
        for (let i = 0; i < filterHeight; i++) {
          const row = outRow * strideHeight - info.padInfo.top + i * dilationHeight
          if (row < 0 || row >= inHeight) continue
          for (let j = 0; j < filterWidth; j++) {
            const column = outColumn * strideWidth - info.padInfo.left + j * dilationWidth
            if (column < 0 || column >= inWidth) continue
            const x = ((n * inHeight + row) * inWidth + column) * inChannels
            const weight = (i * filterWidth + j) * outChannels
            for (let c = 0; c < outChannels; c++) tap(x + Math.floor(c / multiplier), weight + c, y + c)
          }
        }
      }
    }
  }
}

function depthwiseFilterGradient({ inputs, attrs, backend }: Call): TensorInfo {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo }
  const filterShape = attrs.filterShape as number[]
  const out = backend.makeOutput(filterShape, 'float32')
  const [input, gradient, result] = [heap(backend, x), heap(backend, dy), heap(backend, out).fill(0)]
  depthwiseTaps(x.shape, filterShape, attrs, (at, weight, y) => {
    result[weight]! += input[at]! * gradient[y]!
  })
  return out
}

function depthwiseInputGradient({ inputs, attrs, backend }: Call): TensorInfo {
  const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo }
  const inputShape = attrs.inputShape as number[]
  const out = backend.makeOutput(inputShape, 'float32')
  const [weights, gradient, result] = [heap(backend, filter), heap(backend, dy), heap(backend, out).fill(0)]
  depthwiseTaps(inputShape, filter.shape, attrs, (at, weight, y) => {
    result[at]! += weights[weight]! * gradient[y]!
  })
  return out
}

/** Rows of x summed by the segment that each belongs to: the gradient of `gather`. */
function unsortedSegmentSum({ inputs, attrs, backend }: Call): TensorInfo {
  const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo }
  const segments = attrs.numSegments as number
  const out = backend.makeOutput([segments, ...x.shape.slice(1)], 'float32')
  const size = x.shape.slice(1).reduce((product, n) => product * n, 1)
  const ids = backend.typedArrayFromHeap(segmentIds)
  const [values, sums] = [heap(backend, x), heap(backend, out).fill(0)]
  for (const [row, segment] of ids.entries()) {
    if (segment < 0 || segment >= segments) continue
    for (let i = 0; i < size; i++) sums[segment * size + i]! += values[row * size + i]!
  }
  return out
}

/** Each output's gradient goes to the first largest element of its window, as on the CPU backend. */
function maxPoolGradient({ inputs, attrs, backend, simd }: Call): TensorInfo {
  const { dy, input } = inputs as { dy: TensorInfo; input: TensorInfo }
  const { inShape, outHeight, outWidth, filter, strides, top, left } = poolGeometry(input.shape, attrs)
  const [batchSize, inHeight, inWidth, channels] = inShape
  const [filterHeight, filterWidth] = filter
  const [strideHeight, strideWidth] = strides
  const out = backend.makeOutput(input.shape, 'float32')
  const areTwos = [...filter, ...strides].every((size) => size === 2) && top === 0 && left === 0
  if (simd && areTwos && channels % 4 === 0 && outHeight * 2 <= inHeight && outWidth * 2 <= inWidth) {
    const [from, gradient, to] = [input, dy, out].map((info) => heap(backend, info).byteOffset)
    simd.maxPool2Gradient(from!, gradient!, to!, batchSize, inHeight, inWidth, outHeight, outWidth, channels)
    return out
  }
  const x = heap(backend, input)
  const gradient = heap(backend, dy)
  const dx = heap(backend, out).fill(0)
  let from = 0
  for (let n = 0; n < batchSize; n++) {
    const image = n * inHeight
    for (let outRow = 0; outRow < outHeight; outRow++) {
      const corner = outRow * strideHeight - top
      const firstRow = Math.max(0, corner)
      const endRow = Math.min(inHeight, corner + filterHeight)
      for (let outColumn = 0; outColumn < outWidth; outColumn++) {
        const side = outColumn * strideWidth - left
        const firstColumn = Math.max(0, side)
        const endColumn = Math.min(inWidth, side + filterWidth)
        for (let channel = 0; channel < channels; channel++) {
          let best = -Infinity
          let place = -1
          for (let row = firstRow; row < endRow; row++) {
            let at = ((image + row) * inWidth + firstColumn) * channels + channel
            for (let column = firstColumn; column < endColumn; column++, at += channels) {
              const value = x[at]!
              if (value > best) {
                best = value
                place = at
              }
            }
          }
          if (place >= 0) dx[place]! += gradient[from]!
          from++
        }
      }
    }
  }
  return out
}

/** The stock product walks naively when told to transpose; transposing first lets it use its fast path. */
function product({ inputs, attrs, backend, stock, simd }: Call): TensorInfo {
  const made: TensorInfo[] = []
  const turn = (matrix: TensorInfo) => {
    const rank = matrix.shape.length
    const batch = matrix.shape.slice(0, -2)
    const [rows, columns] = matrix.shape.slice(-2) as [number, number]
    if (simd && matrix.dtype === 'float32') {
      const turned = backend.makeOutput([...batch, columns, rows], 'float32')
      const to = heap(backend, turned).byteOffset
      const count = batch.reduce((product, n) => product * n, 1)
      simd.transpose(heap(backend, matrix).byteOffset, to, count, rows, columns)
      made.push(turned)
      return turned
    }
    const perm = [...batch.keys(), rank - 1, rank - 2]
    const turned = call('Transpose', backend, { x: matrix }, { perm })
    made.push(turned)
    return turned
  }
  const { a, b } = inputs as { a: TensorInfo; b: TensorInfo }
  const plain = {
    ...inputs,
    a: attrs.transposeA ? turn(a) : a,
    b: attrs.transposeB ? turn(b) : b,
  }
  const out = stock!({
    inputs: plain,
    attrs: { ...attrs, transposeA: false, transposeB: false } as never,
    backend,
  })
  for (const { dataId } of made) backend.disposeData(dataId)
  return out as TensorInfo
}

/** tfjs' activation names → the kernels that compute them. */
const activations: Record<string, string> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  leakyrelu: 'LeakyRelu',
  prelu: 'Prelu',
}

/** With more than one batch the stock kernel adds the bias to the wrong elements, so the parts are called one by one. */
function fusedProduct(request: Call): TensorInfo {
  const { inputs, attrs, backend } = request
  const { a, b, bias, preluActivationWeights } = inputs as Record<string, TensorInfo>
  const isBatched = [...a!.shape.slice(0, -2), ...b!.shape.slice(0, -2)].some((n) => n > 1)
  if (!isBatched) return product(request)
  let out = call(
    'BatchMatMul',
    backend,
    { a: a!, b: b! },
    {
      transposeA: attrs.transposeA as boolean,
      transposeB: attrs.transposeB as boolean,
    },
  )
  const replace = (next: TensorInfo) => {
    backend.disposeData(out.dataId)
    out = next
  }
  if (bias) replace(call('Add', backend, { a: out, b: bias }, {}))
  const activation = activations[attrs.activation as string]
  if (activation) {
    const alpha = (attrs.leakyreluAlpha as number | undefined) ?? 0.2
    const inputs = activation === 'Prelu' ? { x: out, alpha: preluActivationWeights! } : { x: out }
    replace(call(activation, backend, inputs, { alpha }))
  }
  return out
}

/**
 * tfjs' own takes everything within ±1e-7 or so for zero: the gradient of an image that the model is sure
 * of is smaller than that, and a sign step would leave it where it is.
 */
function sign({ inputs, backend, simd }: Call): TensorInfo {
  const x = inputs.x!
  const result = backend.makeOutput(x.shape, x.dtype)
  if (simd && x.dtype === 'float32') {
    const from = heap(backend, x)
    simd.signs(from.byteOffset, heap(backend, result).byteOffset, from.length)
    return result
  }
  const [from, to] = [heap(backend, x), heap(backend, result)]
  for (let i = 0; i < from.length; i++) {
    const value = from[i]!
    to[i] = value > 0 ? 1 : value < 0 ? -1 : value === 0 ? 0 : NaN
  }
  return result
}

/** Sums over all but the last axis, as a bias' gradient is; the stock kernel transposes the whole first. */
function sum({ inputs, attrs, backend, stock, simd }: Call): TensorInfo {
  const x = inputs.x!
  const rank = x.shape.length
  const size = x.shape[rank - 1] ?? 1
  const axes = new Set([attrs.axis as number | number[]].flat().map((axis) => (axis + rank) % rank))
  const isCovered =
    rank > 1 && x.dtype === 'float32' && size % 4 === 0 && axes.size === rank - 1 && !axes.has(rank - 1)
  if (!isCovered) return stock!({ inputs, attrs: attrs as never, backend }) as TensorInfo
  const out = backend.makeOutput(
    attrs.keepDims ? x.shape.map((n, i) => (i === rank - 1 ? n : 1)) : [size],
    'float32',
  )
  const from = heap(backend, x)
  simd!.sumRows(from.byteOffset, heap(backend, out).byteOffset, from.length / size, size)
  return out
}

/** A second name for the same numbers, which never change; the stock kernel copies them. */
function identity({ inputs, attrs, backend, stock }: Call): TensorInfo {
  const x = inputs.x!
  if (x.dtype === 'string') return stock!({ inputs, attrs: attrs as never, backend }) as TensorInfo
  backend.incRef(x.dataId)
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype }
}

/** Whole rows. The stock kernel first copies all of x out of the heap: each batch of a set then costs as much as the set. */
function slice({ inputs, attrs, backend, stock }: Call): TensorInfo {
  const x = inputs.x!
  const parsed = slice_util.parseSliceParams(x, attrs.begin as number[], attrs.size as number[])
  const [begin, size] = parsed as [number[], number[]]
  if (x.dtype === 'string' || !slice_util.isSliceContinous(x.shape, begin, size))
    return stock!({ inputs, attrs: attrs as never, backend }) as TensorInfo
  const out = backend.makeOutput(size, x.dtype)
  const from = slice_util.computeFlatOffset(begin, util.computeStrides(x.shape))
  heap(backend, out).set(heap(backend, x).subarray(from, from + util.sizeFromShape(size)))
  return out
}

/** See core/layers.ts. */
function reluGradient({ inputs, backend, simd }: Call): TensorInfo {
  const { dy, y } = inputs as { dy: TensorInfo; y: TensorInfo }
  const out = backend.makeOutput(dy.shape, 'float32')
  const from = heap(backend, dy)
  simd!.reluGradient(from.byteOffset, heap(backend, y).byteOffset, heap(backend, out).byteOffset, from.length)
  return out
}

/** See core/adam.ts. */
function adamStep({ inputs, attrs, backend, simd }: Call): TensorInfo {
  const { state, gradient } = inputs as { state: TensorInfo; gradient: TensorInfo }
  const { beta1, beta2, epsilon, rate } = attrs as Record<string, number>
  const next = backend.makeOutput(state.shape, 'float32')
  const [from, by, to] = [state, gradient, next].map((info) => heap(backend, info).byteOffset)
  const size = gradient.shape[0]!
  simd!.adamStep(from!, by!, to!, size, beta1!, beta2!, 1 - beta1!, 1 - beta2!, rate!, epsilon!)
  return next
}
