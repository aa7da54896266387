import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { adamStep } from '../../../src/core/adam.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { convolutionLayer, denseLayer } from '../../../src/core/layers.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import { runs } from '../../helpers/runs.ts'

/**
 * Our layers against tfjs' separate operations and their own gradients, on each backend. Tolerance as for the
 * kernels: the same products summed in another order in float32 differ by less than 1e-4 here.
 */
const tolerance = 1e-4

beforeAll(async () => {
  await startBackend('cpu', readStatic)
  await startBackend('wasm', readStatic)
})

function random(shape: number[], seed: number): tf.Tensor {
  const rng = createRng(seed)
  const size = shape.reduce((product, n) => product * n, 1)
  return tf.tensor(
    Float32Array.from({ length: size }, () => rng.normal() / 2),
    shape,
  )
}

type Layer = (...inputs: tf.Tensor[]) => tf.Tensor

/** Result and gradients of Σ cotangent · layer(inputs), as numbers. */
function valueAndGradients(layer: Layer, inputs: tf.Tensor[], cotangent: tf.Tensor): number[][] {
  return tf.tidy(() => {
    const { value, grads } = tf.valueAndGrads(layer)(inputs, cotangent)
    return [value, ...grads].map((tensor) => Array.from(tensor.dataSync()))
  })
}

function expectClose(ours: number[][], theirs: number[][]): void {
  expect(ours.map((numbers) => numbers.length)).toEqual(theirs.map((numbers) => numbers.length))
  const worst = ours.flatMap((numbers, k) => numbers.map((value, i) => Math.abs(value - theirs[k]![i]!)))
  expect(Math.max(...worst)).toBeLessThanOrEqual(tolerance)
}

const small = (max: number) => fc.integer({ min: 1, max })

describe.each(['wasm', 'cpu'])('layers on %s', (backend) => {
  it('a convolution layer equals convolution, bias and relu, and so do its gradients', async () => {
    const cases = fc.record({
      shape: fc.tuple(small(3), fc.integer({ min: 5, max: 9 }), fc.integer({ min: 5, max: 9 }), small(4)),
      filters: fc.constantFrom(3, 4, 8),
      size: fc.constantFrom(1, 3, 5),
      strides: small(2),
      pad: fc.constantFrom('same' as const, 'valid' as const),
      relu: fc.boolean(),
      seed: fc.nat(),
    })
    await tf.setBackend(backend)
    const before = tf.memory().numTensors
    fc.assert(
      fc.property(cases, ({ shape, filters, size, strides, pad, relu, seed }) => {
        const inputs = [
          random(shape, seed),
          random([size, size, shape[3], filters], seed + 1),
          random([filters], seed + 2),
        ]
        const apart: Layer = (x, filter, bias) => {
          const sum = tf.add(tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad), bias!)
          return relu ? tf.relu(sum) : sum
        }
        const ours: Layer = (x, filter, bias) =>
          convolutionLayer(x as tf.Tensor4D, filter as tf.Tensor4D, bias!, { strides, pad, relu })
        const cotangent = tf.tidy(() => random(apart(...inputs).shape, seed + 3))
        expectClose(valueAndGradients(ours, inputs, cotangent), valueAndGradients(apart, inputs, cotangent))
        tf.dispose([inputs, cotangent])
      }),
      { numRuns: runs(40) },
    )
    expect(tf.memory().numTensors).toBe(before)
  })

  it('a dense layer equals product, bias and relu, and so do its gradients', async () => {
    await tf.setBackend(backend)
    const before = tf.memory().numTensors
    fc.assert(
      fc.property(small(9), small(9), small(9), fc.boolean(), fc.nat(), (rows, from, to, relu, seed) => {
        const inputs = [random([rows, from], seed), random([from, to], seed + 1), random([to], seed + 2)]
        const apart: Layer = (x, weights, bias) => {
          const sum = tf.add(tf.matMul(x as tf.Tensor2D, weights as tf.Tensor2D), bias!)
          return relu ? tf.relu(sum) : sum
        }
        const ours: Layer = (x, weights, bias) =>
          denseLayer(x as tf.Tensor2D, weights as tf.Tensor2D, bias!, relu)
        const cotangent = random([rows, to], seed + 3)
        expectClose(valueAndGradients(ours, inputs, cotangent), valueAndGradients(apart, inputs, cotangent))
        tf.dispose([inputs, cotangent])
      }),
      { numRuns: runs(40) },
    )
    expect(tf.memory().numTensors).toBe(before)
  })

  it('an input gradient alone asks for no gradient of the weights', async () => {
    await tf.setBackend(backend)
    const inputs = [random([2, 6, 6, 1], 1), random([3, 3, 1, 4], 2), random([4], 3)]
    const [x, filter, bias] = inputs as [tf.Tensor4D, tf.Tensor4D, tf.Tensor]
    const { kernelNames } = await tf.profile(() =>
      tf.tidy(() =>
        tf.grad((input) =>
          convolutionLayer(input as tf.Tensor4D, filter, bias, { strides: 1, pad: 'same', relu: true }),
        )(x),
      ),
    )
    expect(kernelNames).toContain('Conv2DBackpropInput')
    expect(kernelNames).not.toContain('Conv2DBackpropFilter')
    tf.dispose(inputs)
  })

  it('an Adam step is the one of the paper', async () => {
    await tf.setBackend(backend)
    const size = 7
    const numbers = (seed: number) => {
      const tensor = random([size], seed)
      const values = Array.from(tensor.dataSync())
      tensor.dispose()
      return values
    }
    const [weights, means, gradient] = [numbers(1), numbers(2), numbers(4)]
    const variances = numbers(3).map(Math.abs)
    const [state, by] = [tf.tensor1d([...weights, ...means, ...variances]), tf.tensor1d(gradient)]
    const next = adamStep(state, by, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, rate: 0.01 })
    const nextMeans = means.map((mean, i) => 0.9 * mean + 0.1 * gradient[i]!)
    const nextVariances = variances.map((variance, i) => 0.999 * variance + 0.001 * gradient[i]! ** 2)
    const nextWeights = weights.map(
      (w, i) => w - (0.01 * nextMeans[i]!) / (Math.sqrt(nextVariances[i]!) + 1e-8),
    )
    const got = Array.from(next.dataSync())
    const expected = [...nextWeights, ...nextMeans, ...nextVariances]
    expect(got).toHaveLength(3 * size)
    got.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5))
    tf.dispose([state, by, next])
  })
})
