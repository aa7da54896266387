import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import type { LabelledRows } from '../../../src/data/labelled-rows.ts'
import type { Architecture, Model } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { featureRows, fitVictim } from '../../../src/models/refit.ts'
import { initialWeights } from '../../../src/models/weights.ts'

const architecture: Architecture = {
  name: 'small',
  inputShape: [4, 4, 1],
  numClasses: 2,
  bounds: [0, 1],
  classes: ['dark', 'light'],
  layers: [
    { type: 'conv2d', filters: 3, kernelSize: 3, padding: 'same', activation: 'relu' },
    { type: 'flatten' },
    { type: 'dense', units: 2 },
  ],
}
const weights = initialWeights(architecture, 4)

/** Dark and light pictures. */
function rows(count = 24): LabelledRows {
  const rng = createRng(3, 'rows')
  const x = Float32Array.from(
    { length: 16 * count },
    (_, i) => (Math.floor(i / 16) % 2 ? 0.6 : 0) + 0.4 * rng.uniform(),
  )
  return {
    ids: Int32Array.from({ length: count }, (_, i) => 10 + i),
    x,
    shape: [4, 4, 1],
    labels: Int32Array.from({ length: count }, (_, i) => i % 2),
    numClasses: 2,
  }
}
const spec = { seed: 1, steps: 150, batchSize: 8, learningRate: 0.05, layers: 'last' as const }

describe('a victim by its last layer', () => {
  let before = 0
  beforeAll(() => startBackend('cpu', readStatic))
  beforeEach(() => void (before = tf.memory().numTensors))
  afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

  const accuracy = async (model: Model, { x, labels }: LabelledRows) => {
    const input = tf.tensor(x, [labels.length, 4, 4, 1])
    const read = await model.predict(input)
    input.dispose()
    return labels.filter((label, i) => label === read[i]).length / labels.length
  }

  test('keeps the other layers to the bit, and learns the rows', async () => {
    const { weights: fitted } = await fitVictim({ architecture, weights }, rows(), spec)
    expect(fitted.map(({ name }) => name)).toEqual(weights.map(({ name }) => name))
    expect(fitted.slice(0, 2)).toEqual(weights.slice(0, 2))
    expect(fitted[2]!.values).not.toEqual(weights[2]!.values)
    const model = createModel(architecture, fitted)
    expect(await accuracy(model, rows(40))).toBeGreaterThan(0.8)
    model.dispose()
  })

  test('begins from its seed, not from the shipped layer: same seed, same bytes', async () => {
    const other = weights.map((weight, i) =>
      i < 2 ? weight : { ...weight, values: weight.values.map(() => 9) },
    )
    const [first, second] = [
      await fitVictim({ architecture, weights }, rows(), spec),
      await fitVictim({ architecture, weights: other }, rows(), spec),
    ]
    expect(second.weights[2]).toEqual(first.weights[2])
    const seeded = await fitVictim({ architecture, weights }, rows(), { ...spec, seed: 2 })
    expect(seeded.weights[2]).not.toEqual(first.weights[2])
  })

  test('reads the whole network for the curve', async () => {
    const seen: number[] = []
    const { history } = await fitVictim({ architecture, weights }, rows(), {
      ...spec,
      evaluateEvery: 75,
      evaluate: async (model) => {
        expect(model.inputShape).toEqual([4, 4, 1])
        seen.push(await accuracy(model, rows()))
        return { accuracy: seen.at(-1)! }
      },
    })
    expect(seen).toHaveLength(2)
    expect(history.at(-1)!.accuracy).toBe(seen[1])
  })

  test('without `layers` every layer is trained', async () => {
    const { layers: _, ...all } = spec
    const { weights: fitted } = await fitVictim({ architecture, weights }, rows(), all)
    expect(fitted[0]!.values).not.toEqual(weights[0]!.values)
  })

  test('features are what the last layer reads, row by row', async () => {
    const given = rows(5)
    const seen = await featureRows(architecture, weights, given)
    expect(seen).toMatchObject({ shape: [48], labels: given.labels, ids: given.ids })
    const model = createModel(architecture, weights)
    const x = tf.tensor(given.x, [5, 4, 4, 1])
    const logits = await model.logitsArray(x)
    const z =
      weights[3]!.values[1]! +
      seen.x.subarray(48, 96).reduce((sum, value, k) => sum + value * weights[2]!.values[2 * k + 1]!, 0)
    expect(logits[3]).toBeCloseTo(z, 4)
    x.dispose()
    model.dispose()
  })

  test('a class without rows and NaN are told', async () => {
    const one = { ...rows(), labels: new Int32Array(24) }
    await expect(fitVictim({ architecture, weights }, one, spec)).rejects.toThrow('no row of class "light"')
    const bad = rows()
    bad.x[17] = NaN
    await expect(fitVictim({ architecture, weights }, bad, spec)).rejects.toThrow('row 11 holds NaN')
  })
})
