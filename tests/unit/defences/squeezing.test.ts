import { beforeAll, expect, test } from 'vitest'
import { fgsm } from '../../../src/attacks/evasion/fgsm.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import { squeezingScores, squeezingThreshold } from '../../../src/defences/detection/squeezing.ts'
import { loadModel } from '../../../src/models/load.ts'

beforeAll(() => startBackend('wasm', readStatic))

test('honest digits score low, one step of 0.25 scores high, and nothing leaks', async () => {
  const model = await loadModel('digits-cnn', readStatic)
  const { test: split } = await loadDataSet('mnist10k', readStatic)
  const ids = Array.from({ length: 100 }, (_, i) => i)
  const labels = ids.map((id) => split.labels[id]!)
  const x = split.images(ids)
  const before = tf.memory().numTensors
  const honest = await squeezingScores(model, x)
  const threshold = squeezingThreshold(honest, 0.05)
  const criterion = { kind: 'misclassification', labels } as const
  const { adversarial } = await fgsm(model, x, criterion, { epsilon: 0.25 }, { seed: 1 })
  const attacked = await squeezingScores(model, adversarial)
  adversarial.dispose()
  expect(tf.memory().numTensors).toBe(before)
  const share = (scores: Float32Array) => scores.filter((score) => score > threshold).length / 100
  expect(share(honest)).toBeLessThanOrEqual(0.05)
  expect(share(attacked)).toBeGreaterThan(0.8)
  for (const score of [...honest, ...attacked]) expect(score >= 0 && score <= 2 + 1e-5).toBe(true)
  x.dispose()
  model.dispose()
})

test('the threshold lets as many honest pictures alarm as it may, by hand', () => {
  expect(squeezingThreshold([0.1, 0.4, 0.2, 0.3], 0)).toBe(0.4)
  expect(squeezingThreshold([0.1, 0.4, 0.2, 0.3], 0.25)).toBe(0.3)
  expect(squeezingThreshold([0.1, 0.4, 0.2, 0.3], 1)).toBe(-Infinity)
  expect(() => squeezingThreshold([], 0.1)).toThrow(/got 0 and 0\.1/)
  expect(() => squeezingThreshold([1], 1.5)).toThrow(/got 1 and 1\.5/)
})
