import { startBackend, type FetchBytes } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'

export interface KernelDifference {
  kernel: string
  /** Shapes and attributes, in words. */
  of: string
  /** Largest difference, as a share of the largest number of the answer (of 1, when it is smaller). */
  apart: number
}

/** Our WebGPU gradient kernels beside tfjs' CPU kernels, on shapes drawn from the seed. */
export async function compareGpuKernels(
  cases: number,
  seed: number,
  fetchBytes: FetchBytes,
): Promise<KernelDifference[]> {
  const rng = createRng(seed, 'kernels')
  const upTo = (max: number) => 1 + Math.floor(rng.uniform() * max)
  const found: KernelDifference[] = []
  const compare = async (
    kernel: string,
    of: string,
    shapes: Record<string, number[]>,
    attrs: object,
    reference: (inputs: Record<string, tf.Tensor>) => tf.Tensor,
  ) => {
    const numbers = Object.entries(shapes).map(([name, shape]) => {
      const size = shape.reduce((product, n) => product * n, 1)
      // As a gradient is behind relu and pooling: partly zeros; and with equal neighbours.
      return [
        name,
        Float32Array.from({ length: size }, () => Math.max(0, Math.round(8 * rng.normal()) / 8)),
      ] as const
    })
    const upload = () =>
      Object.fromEntries(numbers.map(([name, values]) => [name, tf.tensor(values, shapes[name]!)]))
    const read = async (backend: 'webgpu' | 'cpu', run: (inputs: Record<string, tf.Tensor>) => tf.Tensor) => {
      await startBackend(backend, fetchBytes)
      const inputs = upload()
      const result = run(inputs)
      const values = await result.data()
      tf.dispose([result, ...Object.values(inputs)])
      return { values, shape: result.shape.join() }
    }
    const theirs = await read('cpu', reference)
    const ours = await read(
      'webgpu',
      (inputs) => tf.engine().runKernel(kernel, inputs, attrs as tf.NamedAttrMap) as tf.Tensor,
    )
    let [apart, largest] = [ours.shape === theirs.shape ? 0 : Infinity, 1]
    for (let i = 0; i < theirs.values.length; i++) {
      largest = Math.max(largest, Math.abs(theirs.values[i]!))
      const difference = Math.abs(ours.values[i]! - theirs.values[i]!)
      apart = Math.max(apart, Number.isFinite(difference) ? difference : Infinity)
    }
    found.push({ kernel, of, apart: apart / largest })
  }
  for (let i = 0; i < cases; i++) {
    const [batch, height, width, inputs] = [upTo(4), 3 + upTo(14), 3 + upTo(14), upTo(5)]
    const [filterHeight, filterWidth, stride] = [upTo(3), upTo(3), upTo(2)]
    // Every second one of a width that four lanes share.
    const filters = i % 2 ? 4 * upTo(3) : upTo(7)
    const pad = rng.uniform() < 0.5 ? 'same' : 'valid'
    const x = [batch, height, width, inputs]
    const filterShape = [filterHeight, filterWidth, inputs, filters] as [number, number, number, number]
    const strides: [number, number] = [stride, stride]
    const { outShape } = tf.backend_util.computeConv2DInfo(x as never, filterShape, strides, 1, pad)
    const filterAttrs = { strides, pad, dataFormat: 'NHWC', filterShape }
    await compare(
      'Conv2DBackpropFilter',
      `x ${x}, filter ${filterShape}, stride ${stride}, ${pad}`,
      { x, dy: outShape },
      filterAttrs,
      (given) =>
        tf.engine().runKernel('Conv2DBackpropFilter', given, filterAttrs as tf.NamedAttrMap) as tf.Tensor,
    )
    await compare('BiasGradient', `dy ${outShape}`, { dy: outShape }, {}, ({ dy }) => tf.sum(dy!, [0, 1, 2]))
    await compare('ReluGradient', `dy ${x}`, { dy: x, y: x }, {}, ({ dy, y }) => tf.mul(dy!, tf.step(y!)))
  }
  return found
}
