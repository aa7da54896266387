/** STRIP, Neural Cleanse and fine-pruning on models whose backdoor is put in by hand. */
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import {
  anomalyIndices,
  neuralCleanse,
  recoverTrigger,
} from '../../../src/defences/detection/neural-cleanse.ts'
import { stripEntropies, stripThreshold } from '../../../src/defences/detection/strip.ts'
import {
  lastPrunable,
  meanActivations,
  prune,
  withoutUnits,
} from '../../../src/defences/repair/fine-pruning.ts'
import type { Architecture, Model, Weight } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { runs } from '../../helpers/runs.ts'

/**
 * 4 × 4 pixels, three classes: class k is read by the light in rows k and k + 1, and pixel 15 leads to class
 * 2, by as much as `door`.
 */
const image: Architecture = {
  name: 'rows of light',
  inputShape: [4, 4, 1],
  numClasses: 4,
  bounds: [0, 1],
  classes: ['0', '1', '2', '3'],
  layers: [{ type: 'flatten' }, { type: 'dense', units: 4 }],
}
function rowReader(door: number): Model {
  const kernel = new Float32Array(64)
  for (let pixel = 0; pixel < 15; pixel++) kernel[pixel * 4 + (pixel >> 2)] = 4
  kernel[15 * 4 + 2] = door
  return createModel(image, [
    { name: 'dense/kernel', shape: [16, 4], values: kernel },
    { name: 'dense/bias', shape: [4], values: Float32Array.of(0, 0, 0, 4) },
  ])
}
/** Images with one bright row each, dim elsewhere, and pixel 15 dark. */
function lights(count: number, seed = 1): Float32Array {
  const rng = createRng(seed, 'lights')
  const pixels = Float32Array.from({ length: count * 16 }, (_, k) => {
    const [row, pixel] = [Math.floor(k / 16), k % 16]
    if (pixel === 15) return 0
    return pixel >> 2 === row % 4 ? 0.5 + 0.4 * rng.uniform() : 0.1 * rng.uniform()
  })
  return pixels
}
const withDoor = (pixels: Float32Array) => pixels.map((value, k) => (k % 16 === 15 ? 1 : value))
const run = { seed: 1 }

beforeAll(() => startBackend('cpu', readStatic))
let before = 0
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

describe('STRIP', () => {
  test('an input with a trigger keeps its answer under other pictures: its entropy is low', async () => {
    const model = rowReader(40)
    const inputs = lights(12, 2)
    const clean = await stripEntropies(model, inputs, lights(30), { overlays: 24 }, run)
    const triggered = await stripEntropies(model, withDoor(inputs), lights(30), { overlays: 24 }, run)
    expect(Math.max(...triggered)).toBeLessThan(1e-3)
    expect(Math.min(...clean)).toBeGreaterThan(0.1)
    const threshold = stripThreshold(clean, 0.01)
    expect(triggered.every((entropy) => entropy < threshold)).toBe(true)
    model.dispose()
  })

  test('entropies lie between 0 and log₂ of the classes, and the same seed gives the same', async () => {
    const model = rowReader(3)
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.constantFrom('add' as const, 'mix' as const), async (seed, blend) => {
        const one = await stripEntropies(model, lights(3, seed), lights(5), { overlays: 4, blend }, { seed })
        for (const entropy of one) expect(entropy >= 0 && entropy <= 2 + 1e-9).toBe(true)
        expect(
          await stripEntropies(model, lights(3, seed), lights(5), { overlays: 4, blend }, { seed }),
        ).toEqual(one)
      }),
      { numRuns: runs(6) },
    )
    model.dispose()
  })

  test('an even answer has the entropy of a fair draw', async () => {
    const even = createModel(image, [
      { name: 'dense/kernel', shape: [16, 4], values: new Float32Array(64) },
      { name: 'dense/bias', shape: [4], values: new Float32Array(4) },
    ])
    expect([...(await stripEntropies(even, lights(1), lights(2), { overlays: 3 }, run))]).toEqual([
      expect.closeTo(2, 12),
    ])
    even.dispose()
  })

  test('half a blend fades the trigger', async () => {
    const model = rowReader(8)
    const [added, mixed] = [
      await stripEntropies(model, withDoor(lights(8)), lights(30), { blend: 'add' }, run),
      await stripEntropies(model, withDoor(lights(8)), lights(30), { blend: 'mix' }, run),
    ]
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length
    expect(mean(mixed)).not.toBeCloseTo(mean(added), 3)
    model.dispose()
  })

  test('its threshold is the normal quantile, worked by hand', () => {
    // Mean 2, deviation 1.
    expect(stripThreshold([1, 2, 3], 0.01)).toBeCloseTo(2 - 2.3263478740408408, 10)
    expect(() => stripThreshold([1], 0.01)).toThrow('at least two entropies; got 1')
    expect(() => stripThreshold([1, 2], 0)).toThrow(RangeError)
  })

  test.each<[string, Float32Array, Float32Array, object, RegExp]>([
    ['half a row', new Float32Array(8), lights(1), {}, /inputs must be rows of 16 finite numbers; got 8/],
    ['NaN', new Float32Array(16).fill(NaN), lights(1), {}, /some not finite/],
    ['no clean picture', lights(1), new Float32Array(0), {}, /at least one clean picture/],
    ['no overlays', lights(1), lights(1), { overlays: 0 }, /overlays must be a whole number/],
  ])('refuses %s', async (_, inputs, clean, options, message) => {
    const model = rowReader(1)
    await expect(stripEntropies(model, inputs, clean, options, run)).rejects.toThrow(message)
    model.dispose()
  })

  test('stops when cancelled', async () => {
    const model = rowReader(1)
    const context = { seed: 1, signal: AbortSignal.abort() }
    await expect(stripEntropies(model, lights(2), lights(2), {}, context)).rejects.toMatchObject({
      code: 'cancelled',
    })
    model.dispose()
  })
})

describe('Neural Cleanse', () => {
  const quick = { steps: 240, batchSize: 12, readEvery: 4 }

  test('finds the pixel that is the back door, and accuses its class alone', async () => {
    const model = rowReader(60)
    const { triggers, anomaly } = await neuralCleanse(model, lights(24), quick, run)
    const found = triggers[2]!
    expect(found.success).toBe(1)
    expect(found.mask.indexOf(Math.max(...found.mask))).toBe(15)
    expect(found.pattern[15]!).toBeGreaterThan(0.5)
    expect(found.l1).toBeLessThan(Math.min(triggers[0]!.l1, triggers[1]!.l1, triggers[3]!.l1) / 2)
    expect(anomaly.suspects[0]).toBe(2)
    for (const { mask, pattern } of triggers)
      for (const value of [...mask, ...pattern]) expect(value >= 0 && value <= 1).toBe(true)
    model.dispose()
  })

  test('same seed, same trigger; and a cancel leaves nothing', async () => {
    const model = rowReader(60)
    const options = { ...quick, steps: 12 }
    const images = lights(8)
    expect(await recoverTrigger(model, images, 1, options, run)).toEqual(
      await recoverTrigger(model, images, 1, options, run),
    )
    const control = new AbortController()
    await expect(
      recoverTrigger(model, images, 1, options, {
        seed: 1,
        signal: control.signal,
        onStep: () => control.abort(),
      }),
    ).rejects.toMatchObject({ code: 'cancelled' })
    model.dispose()
  })

  test('anomaly indices by the median absolute deviation, worked by hand', () => {
    // Median 10, distances 0, 1, 1, 2, 8: their median is 1.
    const { median, deviation, indices, suspects } = anomalyIndices([10, 11, 9, 12, 2])
    expect([median, deviation]).toEqual([10, 1.4826])
    expect(indices[4]).toBeCloseTo(8 / 1.4826, 12)
    expect(suspects).toEqual([4])
    // A mask that is too large is no back door.
    expect(anomalyIndices([10, 11, 9, 12, 18]).suspects).toEqual([])
    expect(anomalyIndices([5, 5, 5, 1]).suspects).toEqual([3])
    expect([...anomalyIndices([5, 5, 5, 1]).indices]).toEqual([0, 0, 0, Infinity])
    expect(() => anomalyIndices([1, 2])).toThrow('at least three finite sizes')
    expect(() => anomalyIndices([1, 2, NaN])).toThrow('got 1, 2, NaN')
  })

  test.each<[string, number, object, RegExp]>([
    ['no steps', 0, { steps: 0 }, /steps must be a whole number of at least 1; got 0/],
    ['no rate', 0, { learningRate: 0 }, /learningRate must be positive/],
    ['a success above 1', 0, { success: 2 }, /success must lie above 0 and at most at 1/],
    ['a class that is not there', 4, {}, /target must be a class from 0 to 3; got 4/],
  ])('refuses %s', async (_, target, options, message) => {
    const model = rowReader(1)
    await expect(recoverTrigger(model, lights(2), target, options, run)).rejects.toThrow(message)
    model.dispose()
  })

  test('refuses inputs that are not images or not finite', async () => {
    const model = rowReader(1)
    await expect(recoverTrigger(model, new Float32Array(3), 0, {}, run)).rejects.toThrow('got 3 numbers')
    await expect(recoverTrigger(model, new Float32Array(16).fill(NaN), 0, {}, run)).rejects.toThrow(
      'finite images',
    )
    model.dispose()
  })
})

describe('fine-pruning', () => {
  /**
   * Hidden units 0 and 1 read the two honest numbers, unit 2 sleeps until the third, the trigger, wakes it.
   */
  const net: Architecture = {
    name: 'three units',
    inputShape: [3],
    numClasses: 2,
    bounds: [0, 1],
    classes: ['a', 'b'],
    layers: [
      { type: 'dense', units: 3, activation: 'relu' },
      { type: 'dense', units: 2 },
    ],
  }
  const weights: Weight[] = [
    { name: 'dense1/kernel', shape: [3, 3], values: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 5) },
    { name: 'dense1/bias', shape: [3], values: new Float32Array(3) },
    { name: 'dense2/kernel', shape: [3, 2], values: Float32Array.of(2, 0, 0, 2, 0, 9) },
    { name: 'dense2/bias', shape: [2], values: new Float32Array(2) },
  ]
  const trusted = {
    ids: Int32Array.of(0, 1, 2, 3),
    x: Float32Array.of(0.9, 0.1, 0, 0.2, 0.8, 0, 0.7, 0.3, 0, 0.1, 0.6, 0),
    shape: [3],
    labels: Int32Array.of(0, 1, 0, 1),
    numClasses: 2,
  }
  const reads = async (w: Weight[], row: number[]) => {
    const model = createModel(net, w)
    const x = tf.tensor([row])
    const [top] = await model.predict(x)
    x.dispose()
    model.dispose()
    return top
  }

  test('cuts off the unit that clean rows leave asleep, and the back door with it', async () => {
    expect(await reads(weights, [0.9, 0.1, 1])).toBe(1)
    const {
      weights: repaired,
      pruned,
      accuracies,
      activations,
      layer,
    } = await prune(net, weights, trusted, { tolerance: 0.04 }, run)
    expect([layer, pruned, accuracies]).toEqual([0, [2], [1, 1, 0.5]])
    expect([...activations]).toEqual([expect.closeTo(0.475, 6), expect.closeTo(0.45, 6), 0])
    expect(await reads(repaired, [0.9, 0.1, 1])).toBe(0)
    expect(weights[0]!.values[8]).toBe(5)
  })

  test('with a tolerance of 1 leaves one unit', async () => {
    const { pruned } = await prune(net, weights, trusted, { tolerance: 1 }, run)
    expect(pruned).toEqual([2, 1])
  })

  test('of a convolution it looks at filters, over all their pixels', async () => {
    const conv: Architecture = {
      ...net,
      name: 'conv',
      inputShape: [2, 2, 1],
      layers: [
        { type: 'conv2d', filters: 2, kernelSize: 1, padding: 'valid', activation: 'relu' },
        { type: 'flatten' },
        { type: 'dense', units: 2 },
      ],
    }
    const own: Weight[] = [
      { name: 'conv/kernel', shape: [1, 1, 1, 2], values: Float32Array.of(1, -1) },
      { name: 'conv/bias', shape: [2], values: Float32Array.of(0, 0.5) },
      { name: 'dense/kernel', shape: [8, 2], values: new Float32Array(16) },
      { name: 'dense/bias', shape: [2], values: new Float32Array(2) },
    ]
    const rows = { ...trusted, shape: [2, 2, 1], x: Float32Array.of(1, 0, 1, 0), ids: Int32Array.of(1) }
    expect([...(await meanActivations(conv, own, 0, { ...rows, labels: Int32Array.of(0) }))]).toEqual([
      0.5, 0.25,
    ])
    expect([...withoutUnits(conv, own, 0, [1])[0]!.values]).toEqual([1, 0])
    expect([...withoutUnits(conv, own, 0, [1])[1]!.values]).toEqual([0, 0])
    expect([lastPrunable(conv), lastPrunable(net)]).toEqual([0, 0])
  })

  test('refuses a layer without a ReLU, no trusted rows, and a tolerance that is none', async () => {
    await expect(prune(net, weights, trusted, { layer: 1, tolerance: 0 }, run)).rejects.toThrow(
      'layer 1 of three units is no convolution or dense layer with a ReLU',
    )
    const none = { ...trusted, ids: new Int32Array(0), x: new Float32Array(0), labels: new Int32Array(0) }
    await expect(prune(net, weights, none, { tolerance: 0 }, run)).rejects.toThrow(
      'trusted rows to prune by; got none',
    )
    await expect(prune(net, weights, trusted, { tolerance: -1 }, run)).rejects.toThrow(RangeError)
  })
})
