import fc from 'fast-check'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
// Registers the flag that says whether the machine has SIMD.
import '../../../src/core/wasm-backend.ts'
import { runs } from '../../helpers/runs.ts'

/**
 * Every kernel of ours against tfjs' CPU kernel, on random shapes. Tolerance: both sum the same products
 * in float32, in another order, so they may differ by a few units in the last place of the largest sum:
 * 2e-6 × (number of summed products)^½ × the largest magnitude, which stays below 1e-4 here.
 */
const tolerance = 1e-4

type Numbers = { values: Float32Array; shape: number[] }

const random = (shape: number[], seed: number): Numbers => {
  const rng = createRng(seed)
  return {
    shape,
    values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal() / 2),
  }
}

/** As a gradient is behind relu and pooling: mostly zeros. */
const sparse = (shape: number[], seed: number): Numbers => {
  const { values } = random(shape, seed)
  return { shape, values: values.map((value) => (value > 0.3 ? value : 0)) }
}

/** Few different numbers, so that many are equal. */
const coarse = (shape: number[], seed: number): Numbers => {
  const { values } = random(shape, seed)
  return { shape, values: values.map((value) => Math.round(2 * value)) }
}

/** Runs a kernel on one backend and checks that it leaves nothing but its result behind. */
async function runOn(
  backend: string,
  kernel: string,
  inputs: Record<string, Numbers>,
  attrs: object,
): Promise<Numbers> {
  await tf.setBackend(backend)
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, { values, shape }]) => [name, tf.tensor(values, shape)]),
  )
  const dataIds = tf.engine().backend.numDataIds()
  const result = tf.engine().runKernel(kernel, tensors, attrs as tf.NamedAttrMap) as tf.Tensor
  expect(tf.engine().backend.numDataIds(), `${kernel} on ${backend} leaks`).toBe(dataIds + 1)
  const values = (await result.data()) as Float32Array
  const shape = result.shape
  tf.dispose([result, ...Object.values(tensors)])
  return { values, shape }
}

async function expectEqualKernels(
  kernel: string,
  inputs: Record<string, Numbers>,
  attrs: object,
): Promise<void> {
  const before = tf.memory().numTensors
  const ours = await runOn('wasm', kernel, inputs, attrs)
  const theirs = await runOn('cpu', kernel, inputs, attrs)
  expect(ours.shape).toEqual(theirs.shape)
  let worst = 0
  for (let i = 0; i < theirs.values.length; i++)
    worst = Math.max(worst, Math.abs(ours.values[i]! - theirs.values[i]!))
  expect(worst).toBeLessThanOrEqual(tolerance)
  expect(tf.memory().numTensors).toBe(before)
}

const small = (max: number) => fc.integer({ min: 1, max })
const explicit = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3)).map(
  ([top, bottom, left, right]) =>
    [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ] as [number, number][],
)
const padding = fc.oneof(fc.constant('same' as const), fc.constant('valid' as const), explicit)

const convolution = fc
  .record({
    n: small(4),
    height: fc.integer({ min: 5, max: 12 }),
    width: fc.integer({ min: 5, max: 12 }),
    channels: small(9),
    filters: fc.oneof(small(6), fc.constantFrom(8, 12, 16)),
    filterHeight: small(5),
    filterWidth: small(5),
    strides: fc.tuple(small(3), small(3)),
    pad: padding,
    isSparse: fc.boolean(),
    seed: fc.nat(),
  })
  .map((c) => ({
    ...c,
    xShape: [c.n, c.height, c.width, c.channels] as [number, number, number, number],
    filterShape: [c.filterHeight, c.filterWidth, c.channels, c.filters] as [number, number, number, number],
  }))

const outShape = (c: {
  xShape: [number, number, number, number]
  filterShape: [number, number, number, number]
  strides: [number, number]
  pad: unknown
}) => tf.backend_util.computeConv2DInfo(c.xShape, c.filterShape, c.strides, 1, c.pad as 'same').outShape

const depthwise = fc
  .record({
    n: small(3),
    height: fc.integer({ min: 3, max: 9 }),
    width: fc.integer({ min: 3, max: 9 }),
    channels: small(4),
    multiplier: small(3),
    filter: fc.tuple(small(3), small(3)),
    strides: fc.tuple(small(2), small(2)),
    pad: fc.constantFrom('same' as const, 'valid' as const),
    seed: fc.nat(),
  })
  .map(({ n, height, width, channels, multiplier, filter, ...rest }) => ({
    ...rest,
    shape: [n, height, width, channels] as [number, number, number, number],
    filterShape: [...filter, channels, multiplier] as [number, number, number, number],
  }))

const dot = (a: Numbers, b: Numbers) => a.values.reduce((sum, value, i) => sum + value * b.values[i]!, 0)

/** Declares the tests; `simd` false is a machine that has none, where kernels are composed. */
export function describeWasmKernels({ simd }: { simd: boolean }): void {
  const words = simd ? 'with SIMD' : 'without SIMD'

  beforeAll(async () => {
    if (!simd) tf.env().set('WASM_HAS_SIMD_SUPPORT', false)
    await startBackend('cpu', readStatic)
    await startBackend('wasm', readStatic)
  })

  describe(`WASM kernels ${words} agree with the CPU kernels`, () => {
    it('are the ones that this machine is to have', () => {
      expect(Boolean(tf.getKernel('AdamStep', 'wasm'))).toBe(simd)
    })

    it('the filter gradient of a convolution, any stride and padding', async () => {
      await fc.assert(
        fc.asyncProperty(convolution, async (c) => {
          const inputs = {
            x: random(c.xShape, c.seed),
            dy: (c.isSparse ? sparse : random)(outShape(c), c.seed + 1),
          }
          const attrs = { strides: c.strides, pad: c.pad, dataFormat: 'NHWC', filterShape: c.filterShape }
          await expectEqualKernels('Conv2DBackpropFilter', inputs, attrs)
        }),
        { numRuns: runs(60) },
      )
    })

    it('the input gradient of a convolution, any stride and padding', async () => {
      await fc.assert(
        fc.asyncProperty(convolution, async (c) => {
          const inputs = {
            dy: (c.isSparse ? sparse : random)(outShape(c), c.seed),
            filter: random(c.filterShape, c.seed + 1),
          }
          const attrs = { strides: c.strides, pad: c.pad, dataFormat: 'NHWC', inputShape: c.xShape }
          await expectEqualKernels('Conv2DBackpropInput', inputs, attrs)
        }),
        { numRuns: runs(60) },
      )
    })

    it('the gradients of pooling, windows overlapping or not', async () => {
      const pooling = fc.record({
        shape: fc.tuple(small(3), fc.integer({ min: 3, max: 9 }), fc.integer({ min: 3, max: 9 }), small(4)),
        filterSize: fc.tuple(small(3), small(3)),
        strides: fc.tuple(small(3), small(3)),
        pad: fc.constantFrom('same' as const, 'valid' as const),
        seed: fc.nat(),
      })
      await fc.assert(
        fc.asyncProperty(pooling, async ({ shape, filterSize, strides, pad, seed }) => {
          const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad)
          const input = random(shape, seed)
          const inputs = { dy: random(info.outShape, seed + 1), input, output: random(info.outShape, seed) }
          await expectEqualKernels('MaxPoolGrad', inputs, { filterSize, strides, pad })
          await expectEqualKernels('AvgPoolGrad', { dy: inputs.dy, input }, { filterSize, strides, pad })
        }),
        { numRuns: runs(60) },
      )
    })

    it('the gradients of a depthwise convolution', async () => {
      await fc.assert(
        fc.asyncProperty(depthwise, async ({ shape, filterShape, strides, pad, seed }) => {
          const info = tf.backend_util.computeConv2DInfo(shape, filterShape, strides, 1, pad, undefined, true)
          const [x, filter, dy] = [
            random(shape, seed),
            random(filterShape, seed + 1),
            random(info.outShape, seed + 2),
          ]
          const attrs = { strides, pad, dilations: [1, 1], filterShape, inputShape: shape }
          await expectEqualKernels('DepthwiseConv2dNativeBackpropFilter', { x, dy }, attrs)
          await expectEqualKernels('DepthwiseConv2dNativeBackpropInput', { dy, filter }, attrs)
        }),
        { numRuns: runs(40) },
      )
    })

    it('the gradients of a dilated depthwise convolution are its adjoints (tfjs on CPU ignores dilations there)', async () => {
      await fc.assert(
        fc.asyncProperty(depthwise, fc.integer({ min: 2, max: 3 }), async (c, dilation) => {
          const { shape, filterShape, pad, seed } = c
          const attrs = {
            strides: [1, 1],
            pad,
            dilations: [dilation, dilation],
            filterShape,
            inputShape: shape,
          }
          const [x, filter] = [random(shape, seed), random(filterShape, seed + 1)]
          const info = tf.backend_util.computeConv2DInfo(
            shape,
            filterShape,
            1,
            dilation,
            pad,
            undefined,
            true,
          )
          fc.pre(info.outShape.every((n) => n > 0))
          const dy = random(info.outShape, seed + 2)
          const y = await runOn('wasm', 'DepthwiseConv2dNative', { x, filter }, attrs)
          const byFilter = await runOn('wasm', 'DepthwiseConv2dNativeBackpropFilter', { x, dy }, attrs)
          const byInput = await runOn('wasm', 'DepthwiseConv2dNativeBackpropInput', { dy, filter }, attrs)
          const products = dot(y, dy)
          expect(dot(filter, byFilter)).toBeCloseTo(products, 3)
          expect(dot(x, byInput)).toBeCloseTo(products, 3)
        }),
        { numRuns: runs(40) },
      )
    })

    it('sums of rows by segment', async () => {
      const x = random([7, 3], 1)
      for (const ids of [
        [0, 1, 2, 3, 0, 1, 0],
        [4, 4, 4, 4, 4, 4, 4],
        [0, -1, 2, 3, 1, 2, 0],
      ]) {
        const sums: Float32Array[] = []
        for (const backend of ['wasm', 'cpu']) {
          await tf.setBackend(backend)
          const [input, segments] = [tf.tensor(x.values, x.shape), tf.tensor1d(ids, 'int32')]
          const result = tf.unsortedSegmentSum(input, segments, 5)
          sums.push((await result.data()) as Float32Array)
          tf.dispose([input, segments, result])
        }
        const [ours, theirs] = sums
        expect(Math.max(...ours!.map((sum, i) => Math.abs(sum - theirs![i]!)))).toBeLessThan(1e-6)
      }
    })

    it('the first of equal elements takes a pooling gradient', async () => {
      const input: Numbers = { shape: [1, 2, 2, 1], values: Float32Array.of(0, 0, 0, 0) }
      const one: Numbers = { shape: [1, 1, 1, 1], values: Float32Array.of(5) }
      const attrs = { filterSize: 2, strides: 2, pad: 'valid' }
      const { values } = await runOn('wasm', 'MaxPoolGrad', { dy: one, input, output: one }, attrs)
      expect(Array.from(values)).toEqual([5, 0, 0, 0])
    })

    it('products with every pair of transpose flags, batched and broadcast', async () => {
      const products = fc.record({
        batch: fc.constantFrom([1, 1], [3, 3], [3, 1], [1, 3]),
        sizes: fc.tuple(small(13), small(13), small(13)),
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        seed: fc.nat(),
      })
      await fc.assert(
        fc.asyncProperty(
          products,
          async ({ batch, sizes: [rows, inner, columns], transposeA, transposeB, seed }) => {
            const a = random([batch[0]!, ...(transposeA ? [inner, rows] : [rows, inner])], seed)
            const b = random([batch[1]!, ...(transposeB ? [columns, inner] : [inner, columns])], seed + 1)
            await expectEqualKernels('BatchMatMul', { a, b }, { transposeA, transposeB })
            if (batch[0] === batch[1]) {
              const bias = random([columns], seed + 2)
              const attrs = { transposeA, transposeB, activation: 'relu' }
              await expectEqualKernels('_FusedMatMul', { a, b, bias }, attrs)
            }
          },
        ),
        { numRuns: runs(40) },
      )
    })
    it('convolutions with bias and relu, few and many channels', async () => {
      await fc.assert(
        fc.asyncProperty(
          convolution,
          fc.constantFrom('relu', 'linear'),
          small(3),
          async (c, activation, few) => {
            const xShape = [c.n, c.height, c.width, few]
            const filterShape = [c.filterHeight, c.filterWidth, few, c.filters]
            // tfjs has no fused convolution with explicit padding.
            const pad = typeof c.pad === 'string' ? c.pad : 'same'
            const [x, filter] = [random(xShape, c.seed), random(filterShape, c.seed + 1)]
            const attrs = { strides: c.strides, pad, dataFormat: 'NHWC', dilations: [1, 1] }
            await expectEqualKernels('Conv2D', { x, filter }, attrs)
            const bias = random([c.filters], c.seed + 2)
            await expectEqualKernels('FusedConv2D', { x, filter, bias }, { ...attrs, activation })
          },
        ),
        { numRuns: runs(200) },
      )
    })

    it('the gradient of a 2 × 2 pool where many elements are equal', async () => {
      const shapes = fc.tuple(
        small(3),
        fc.integer({ min: 2, max: 9 }),
        fc.integer({ min: 2, max: 9 }),
        fc.constantFrom(4, 8, 12),
      )
      await fc.assert(
        fc.asyncProperty(shapes, fc.constantFrom('same', 'valid'), fc.nat(), async (shape, pad, seed) => {
          const info = tf.backend_util.computePool2DInfo(shape, 2, 2, 1, pad as 'same')
          const dy = random(info.outShape, seed)
          const inputs = { dy, input: coarse(shape, seed), output: dy }
          await expectEqualKernels('MaxPoolGrad', inputs, { filterSize: 2, strides: 2, pad })
        }),
        { numRuns: runs(60) },
      )
    })

    it('sums over all axes but the last, and over others', async () => {
      const cases = fc.tuple(small(700), small(4), fc.constantFrom(1, 4, 7, 8, 20), fc.boolean(), fc.nat())
      await fc.assert(
        fc.asyncProperty(cases, async ([rows, columns, channels, keepDims, seed]) => {
          const x = random([rows, columns, channels], seed)
          for (const axis of [[0, 1], [-2, 0], [2], [0, 1, 2], 0]) {
            const [ours, theirs] = [
              await sumOn('wasm', x, axis, keepDims),
              await sumOn('cpu', x, axis, keepDims),
            ]
            expect(ours.shape).toEqual(theirs.shape)
            // Up to 56,000 numbers of about ½ each: their rounding errors grow as the root of their count.
            for (let i = 0; i < ours.values.length; i++)
              expect(Math.abs(ours.values[i]! - theirs.values[i]!)).toBeLessThan(2e-3)
          }
        }),
        { numRuns: runs(20) },
      )
    })

    it('signs: zero of either sign is 0, what is not a number stays so', async () => {
      const x: Numbers = {
        shape: [9],
        values: Float32Array.of(3, -2, 0, -0, 1e-30, -1e-30, Infinity, -Infinity, NaN),
      }
      const { values } = await runOn('wasm', 'Sign', { x }, {})
      expect(Array.from(values, (value) => value + 0)).toEqual([1, -1, 0, 0, 1, -1, 1, -1, NaN])
    })

    it('slices, of whole rows and of parts of them', async () => {
      const cases = fc.tuple(fc.array(small(6), { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat())
      await fc.assert(
        fc.asyncProperty(cases, async ([shape, seed, from]) => {
          const x = random(shape, seed)
          const first = from % shape[0]!
          const rest = shape.slice(1)
          const rows = { begin: [first, ...rest.map(() => 0)], size: [shape[0]! - first, ...rest] }
          await expectEqualKernels('Slice', { x }, rows)
          await expectEqualKernels('Slice', { x }, { begin: first, size: -1 })
          const part = {
            begin: shape.map((length) => from % length),
            size: shape.map((length) => Math.max(1, (length - (from % length)) >> 1)),
          }
          await expectEqualKernels('Slice', { x }, part)
        }),
        { numRuns: runs(20) },
      )
    })

    it('a slice of rows reads no other row, of whatever type they are', async () => {
      await tf.setBackend('wasm')
      const readAll = vi.spyOn(tf.engine().backend, 'readSync')
      const kinds = ['float32', 'int32', 'bool'] as const
      const parts = kinds.map((dtype) =>
        tf.tidy(() => tf.slice(tf.tensor2d([1, 0, 1, 1, 0, 0, 1, 0], [4, 2], dtype), [1, 0], [2, 2])),
      )
      expect(readAll).not.toHaveBeenCalled()
      readAll.mockRestore()
      for (const [i, part] of parts.entries()) {
        expect(part.dtype).toBe(kinds[i])
        expect(Array.from(await part.data(), Number)).toEqual([1, 1, 0, 0])
      }
      tf.dispose(parts)
    })

    it('a copy is the same numbers, and outlives the original', async () => {
      await tf.setBackend('wasm')
      const x = tf.tensor1d([1, 2, 3])
      const copy = tf.clone(x)
      x.dispose()
      expect(Array.from(await copy.data())).toEqual([1, 2, 3])
      copy.dispose()
    })
  })
}

async function sumOn(
  backend: string,
  x: Numbers,
  axis: number | number[],
  keepDims: boolean,
): Promise<Numbers> {
  await tf.setBackend(backend)
  const [input, sum] = tf.tidy(() => {
    const input = tf.tensor(x.values, x.shape)
    return [input, tf.sum(input, axis, keepDims)]
  }) as [tf.Tensor, tf.Tensor]
  const values = (await sum.data()) as Float32Array
  const { shape } = sum
  tf.dispose([input, sum])
  return { values, shape }
}
