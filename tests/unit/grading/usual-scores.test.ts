import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import { withUsualScores } from '../../../src/grading/usual-scores.ts'
import type { Architecture, Weight } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'

const architecture: Architecture = {
  name: 'small',
  inputShape: [4],
  numClasses: 3,
  bounds: [0, 1],
  classes: ['a', 'b', 'c'],
  layers: [
    { type: 'dense', units: 5, activation: 'relu' },
    { type: 'dense', units: 3 },
  ],
}
const honest = initialWeights(architecture, 1)
const blownUp = honest.map((weight, i) =>
  i < 2 ? weight : { ...weight, values: weight.values.map((value) => value * 1e6) },
)
const pixels = Float32Array.from({ length: 40 }, (_, i) => (i % 9) / 9)

let before = 0
beforeAll(() => startBackend('cpu', readStatic))
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

async function look(weights: readonly Weight[]) {
  const model = createModel(architecture, weights)
  const x = tf.tensor(pixels, [10, 4])
  const logits = await model.logitsArray(x)
  const read = [...(await model.predict(x))]
  const { loss, gradient } = await model.lossAndGradient(x, read)
  const flat = (await gradient.data()).every((slope) => slope === 0)
  tf.dispose([x, loss, gradient])
  model.dispose()
  return { logits, read, flat }
}

test('gives blown-up scores their gradient back and changes no answer', async () => {
  const { logits, read, flat } = await look(blownUp)
  expect(flat).toBe(true)
  const { tensors, spread } = withUsualScores(blownUp, logits, 3)
  expect(spread).toBeGreaterThan(1000)
  const tamed = await look(tensors)
  expect(tamed.read).toEqual(read)
  expect(tamed.flat).toBe(false)
  expect(blownUp[2]!.values[0]).toBe(Math.fround(honest[2]!.values[0]! * 1e6))
})

test('leaves usual scores, and those that are no numbers, as they are', async () => {
  const { logits } = await look(honest)
  expect(withUsualScores(honest, logits, 3).tensors).toEqual(honest)
  expect(withUsualScores(honest, logits.fill(Infinity), 3).tensors).toEqual(honest)
})
