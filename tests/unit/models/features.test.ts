import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import { featureModel, featuresOf, firstLayers } from '../../../src/models/features.ts'
import type { Architecture } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'

const architecture: Architecture = {
  name: 'small',
  inputShape: [6, 6, 1],
  numClasses: 3,
  bounds: [0, 1],
  classes: ['a', 'b', 'c'],
  layers: [
    { type: 'conv2d', filters: 2, kernelSize: 3, padding: 'valid', activation: 'relu' },
    { type: 'maxPool', size: 2 },
    { type: 'flatten' },
    { type: 'dense', units: 5, activation: 'relu' },
    { type: 'dense', units: 3 },
  ],
}

describe('features', () => {
  let before = 0
  beforeAll(() => startBackend('cpu', readStatic))
  beforeEach(() => void (before = tf.memory().numTensors))
  afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

  test('the last layer on top of them gives the logits', async () => {
    const weights = initialWeights(architecture, 3)
    const model = createModel(architecture, weights)
    const x = tf.randomUniform([4, 6, 6, 1], 0, 1, 'float32', 1)
    const rows = {
      ids: Int32Array.of(4, 5, 6, 7),
      x: (await x.data()) as Float32Array,
      shape: [6, 6, 1],
      labels: Int32Array.of(0, 1, 2, 0),
      numClasses: 3,
    }
    const features = await featuresOf(model, rows)
    expect([features.size, [...features.ids]]).toEqual([5, [4, 5, 6, 7]])
    const logits = await model.logitsArray(x)
    const [kernel, bias] = weights.slice(-2)
    for (let i = 0; i < 4; i++)
      for (let k = 0; k < 3; k++) {
        let z = bias!.values[k]!
        for (let j = 0; j < 5; j++) z += features.x[i * 5 + j]! * kernel!.values[j * 3 + k]!
        expect(logits[i * 3 + k]).toBeCloseTo(z, 5)
      }
    x.dispose()
    model.dispose()
  })

  test('a cut behind a convolution is flat, and its gradient reaches the input', async () => {
    const weights = initialWeights(architecture, 3)
    const cut = firstLayers(architecture, weights, 1)
    expect(cut.architecture.numClasses).toBe(4 * 4 * 2)
    expect(cut.weights.map(({ name }) => name)).toEqual(['conv/kernel', 'conv/bias'])
    const whole = createModel(architecture, weights)
    const features = await featureModel(whole, 4)
    const x = tf.ones([1, 6, 6, 1])
    const cotangent = tf.ones([1, 5])
    const gradient = await features.vjp(x, cotangent)
    expect(gradient.shape).toEqual([1, 6, 6, 1])
    tf.dispose([x, cotangent, gradient])
    whole.dispose()
    features.dispose()
  })

  test('refuses more layers than there are, and a weight that is missing', () => {
    const weights = initialWeights(architecture, 3)
    expect(() => firstLayers(architecture, weights, 6)).toThrow('small has 5 layers; got 6')
    expect(() => firstLayers(architecture, weights, 0)).toThrow('got 0')
    expect(() => firstLayers(architecture, weights.slice(1), 2)).toThrow('weight conv/kernel is missing')
  })
})
