import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend, type BackendName } from '../../../src/core/backends.ts'
import type { LossSpec } from '../../../src/core/losses.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import type { DataSet } from '../../../src/data/data-set.ts'
import { loadModel, loadWeights } from '../../../src/models/load.ts'
import type { Architecture } from '../../../src/models/model.ts'
import { createModel, topClasses } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'

let data: DataSet
beforeAll(async () => {
  await startBackend('wasm', readStatic)
  data = await loadDataSet('mnist10k', readStatic)
})

let before = 0
beforeEach(async () => {
  await startBackend('wasm', readStatic)
  before = tf.memory().numTensors
})
afterEach(() => expect(tf.memory().numTensors).toBe(before))

/** Two inputs, three classes: z = W x + b fits on paper. */
const linear: Architecture = {
  name: 'linear',
  inputShape: [2],
  numClasses: 3,
  bounds: [0, 1],
  classes: ['a', 'b', 'c'],
  layers: [{ type: 'dense', units: 3 }],
}
const linearWeights = [
  { name: 'dense/kernel', shape: [2, 3], values: Float32Array.of(1, 0, -1, 0, 2, 1) },
  { name: 'dense/bias', shape: [3], values: Float32Array.of(0, 0.5, 0) },
]

describe('a model worked by hand', () => {
  it('gives logits, the margin gradient and Jacobian products', async () => {
    const model = createModel(linear, linearWeights)
    const x = tf.tensor2d([[1, 2]])
    const cotangent = tf.tensor2d([[1, 10, 100]])
    expect(Array.from(await model.logitsArray(x))).toEqual([1, 4.5, 1])
    expect(Array.from(await model.predict(x))).toEqual([1])
    const { loss, gradient } = await model.lossAndGradient(x, [0], { kind: 'margin' })
    expect(Array.from(await loss.data())).toEqual([3.5])
    // d(z1 − z0)/dx = (0 − 1, 2 − 0).
    expect(Array.from(await gradient.data())).toEqual([-1, 2])
    const product = await model.vjp(x, cotangent)
    expect(Array.from(await product.data())).toEqual([1 - 100, 20 + 100])
    tf.dispose([x, cotangent, loss, gradient, product])
    model.dispose()
  })

  it('takes the first of equal scores', () => {
    expect(Array.from(topClasses([0, 1, 1, 2, 2, 2], 3))).toEqual([1, 0])
  })
})

describe('digits-cnn', () => {
  it('gives the same rows in one batch, in several, and alone', async () => {
    const model = await loadModel('digits-cnn', readStatic)
    const ids = Array.from({ length: 300 }, (_, i) => i)
    const x = data.test.images(ids)
    const last = data.test.images([299])
    const y = ids.map((id) => data.test.labels[id]!)
    const all = await model.lossAndGradient(x, y)
    const alone = await model.lossAndGradient(last, [y[299]!])
    expect(all.gradient.shape).toEqual([300, 28, 28, 1])
    expect(worst((await all.gradient.data()).slice(-784), await alone.gradient.data())).toBe(0)
    expect(worst((await all.loss.data()).slice(-1), await alone.loss.data())).toBe(0)
    expect(worst((await model.logitsArray(x)).slice(-10), await model.logitsArray(last))).toBe(0)
    tf.dispose([x, last, all, alone])
    model.dispose()
  })

  it('takes no rows', async () => {
    const model = await loadModel('digits-cnn', readStatic)
    const x = tf.zeros([0, 28, 28, 1])
    const { loss, gradient } = await model.lossAndGradient(x, [])
    expect([loss.shape, gradient.shape]).toEqual([[0], [0, 28, 28, 1]])
    expect(await model.predict(x)).toEqual(new Int32Array(0))
    tf.dispose([x, loss, gradient])
    model.dispose()
  })

  it('agrees with the CPU backend on logits and on the gradient of every loss', async () => {
    const { architecture, weights } = await loadWeights('digits-cnn', readStatic)
    const ids = [0, 1, 2, 3, 4, 5, 6, 7]
    const losses: LossSpec[] = [
      { kind: 'cross-entropy' },
      { kind: 'margin' },
      { kind: 'dlr' },
      { kind: 'dlr', targets: ids.map((id) => (data.test.labels[id]! + 1) % 10) },
    ]
    const compute = async (backend: BackendName) => {
      await startBackend(backend, readStatic)
      const model = createModel(architecture, weights)
      const x = data.test.images(ids)
      const results = [await model.logitsArray(x)]
      for (const loss of losses) {
        const answer = await model.lossAndGradient(
          x,
          ids.map((id) => data.test.labels[id]!),
          loss,
        )
        results.push(
          (await answer.loss.data()) as Float32Array,
          (await answer.gradient.data()) as Float32Array,
        )
        tf.dispose([answer.loss, answer.gradient])
      }
      const cotangent = tf.tensor(
        Float32Array.from({ length: 80 }, (_, i) => (i % 7) - 3),
        [8, 10],
      )
      const product = await model.vjp(x, cotangent)
      results.push((await product.data()) as Float32Array)
      tf.dispose([x, cotangent, product])
      model.dispose()
      return results
    }
    const [wasm, cpu] = [await compute('wasm'), await compute('cpu')]
    // Logits reach about 30, gradients about 10; float32 sums of up to 784 products differ by some 1e-6 of that.
    for (const [i, result] of wasm.entries()) expect(worst(result, cpu[i]!)).toBeLessThan(1e-4)
  })

  it('has the gradient that small differences show', async () => {
    const rng = createRng(7)
    const tiny: Architecture = {
      ...linear,
      name: 'tiny',
      inputShape: [6, 6, 2],
      layers: [
        { type: 'conv2d', filters: 3, kernelSize: 3, padding: 'same', activation: 'relu' },
        { type: 'maxPool', size: 2 },
        { type: 'conv2d', filters: 2, kernelSize: 2, padding: 'valid' },
        { type: 'flatten' },
        { type: 'dense', units: 5, activation: 'relu' },
        { type: 'dense', units: 3 },
      ],
    }
    const model = createModel(tiny, initialWeights(tiny, 5))
    const pixels = Float32Array.from({ length: 72 }, () => rng.uniform())
    const x = tf.tensor(pixels, [1, 6, 6, 2])
    const { loss, gradient } = await model.lossAndGradient(x, [1])
    const slopes = await gradient.data()
    const lossAt = async (values: Float32Array) => {
      const moved = tf.tensor(values, [1, 6, 6, 2])
      const answer = await model.lossAndGradient(moved, [1])
      const [value] = await answer.loss.data()
      tf.dispose([moved, answer.loss, answer.gradient])
      return value!
    }
    for (const i of [0, 13, 30, 47, 71]) {
      const [up, down] = [pixels.slice(), pixels.slice()]
      up[i]! += 0.01
      down[i]! -= 0.01
      // Differences of float32 losses over 0.02: rounding gives about 1e-5, curvature less.
      expect((await lossAt(up)) / 0.02 - (await lossAt(down)) / 0.02).toBeCloseTo(slopes[i]!, 3)
    }
    tf.dispose([x, loss, gradient])
    model.dispose()
  })
})

describe('a model refuses', () => {
  it('inputs of another shape or type, labels that do not fit, and use after dispose', async () => {
    const model = await loadModel('digits-cnn', readStatic)
    const [flat, ints, fine] = [
      tf.zeros([2, 784]),
      tf.zeros([2, 28, 28, 1], 'int32'),
      tf.zeros([2, 28, 28, 1]),
    ]
    const cotangent = tf.zeros([2, 9])
    await expect(model.logits(flat)).rejects.toThrow('logits: expected x of shape [N,28,28,1], got [2,784]')
    await expect(model.predict(ints)).rejects.toThrow('expected x of float32, got int32')
    await expect(model.lossAndGradient(fine, [1])).rejects.toThrow('y: expected 2 labels, one a row; got 1')
    await expect(model.lossAndGradient(fine, [1, 10])).rejects.toThrow(
      'y[1]: expected a class from 0 to 9, got 10',
    )
    await expect(model.lossAndGradient(fine, [1, 2], { kind: 'dlr', targets: [1] })).rejects.toThrow(
      'targets: expected 2',
    )
    await expect(model.vjp(fine, cotangent)).rejects.toThrow(
      'expected a cotangent of shape [2,10], got [2,9]',
    )
    model.dispose()
    model.dispose()
    await expect(model.logits(fine)).rejects.toThrow('digits-cnn: logits after dispose()')
    tf.dispose([flat, ints, fine, cotangent])
  })

  it('weight files that were changed, by name', async () => {
    const changed = async (path: string) => {
      const bytes = await readStatic(path)
      if (path.endsWith('weights.bin')) bytes[9]! ^= 1
      return bytes
    }
    await expect(loadModel('digits-cnn', changed)).rejects.toMatchObject({
      code: 'checksum',
      message: expect.stringContaining('models/digits-cnn/weights.bin was changed'),
    })
    await expect(loadModel('digits', readStatic)).rejects.toMatchObject({ code: 'missing' })
  })
})

function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length)
  let largest = 0
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!))
  expect(Number.isFinite(largest)).toBe(true)
  return largest
}
