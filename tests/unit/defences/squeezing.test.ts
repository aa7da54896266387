import { beforeAll, describe, expect, test } from 'vitest'
import { fgsm } from '../../../src/attacks/evasion/fgsm.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import { squeezingScores, squeezingThreshold } from '../../../src/defences/detection/squeezing.ts'
import { loadModel } from '../../../src/models/load.ts'
import type { Model } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'

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

describe('the score, by hand', () => {
  /** Pictures of 3 × 3; logits (sum of the pixels, 0), so p₀ = σ(sum). */
  const sums = (): Model =>
    createModel(
      {
        name: 'sums',
        inputShape: [3, 3, 1],
        numClasses: 2,
        bounds: [0, 1],
        classes: ['bright', 'dark'],
        layers: [{ type: 'flatten' }, { type: 'dense', units: 2 }],
      },
      [
        {
          name: 'dense/kernel',
          shape: [9, 2],
          values: Float32Array.from({ length: 18 }, (_, i) => (i % 2 === 0 ? 1 : 0)),
        },
        { name: 'dense/bias', shape: [2], values: new Float32Array(2) },
      ],
    )
  const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))
  /** L1 between the answers to two sums: both classes move by as much. */
  const apart = (a: number, b: number) => 2 * Math.abs(sigmoid(a) - sigmoid(b))
  const grey = (value: number) => new Array<number>(9).fill(value)
  const lone = (value: number) => grey(value).map((pixel, i) => (i === 4 ? 1 : pixel))

  test('is the farther of the two answers: rounded to one bit, or smoothed', async () => {
    const model = sums()
    const x = tf.tensor([grey(0), grey(1), grey(0.4), lone(0), lone(0.4)].flat(), [5, 3, 3, 1])
    const scores = await squeezingScores(model, x)
    const wanted = [
      0,
      0,
      // Rounding makes it black; smoothing leaves it.
      apart(3.6, 0),
      // Smoothing takes the pixel away; rounding leaves it.
      apart(1, 0),
      // Rounding leaves the pixel alone, a sum of 1; smoothing takes it away.
      Math.max(apart(4.2, 1), apart(4.2, 3.6)),
    ]
    wanted.forEach((value, i) => expect(scores[i]).toBeCloseTo(value, 5))
    tf.dispose(x)
    model.dispose()
  })

  test('of a row does not depend on its batch, be it one or a thousand', async () => {
    const model = sums()
    const many = tf.tile(tf.tensor([grey(0.4), lone(0)].flat(), [2, 3, 3, 1]), [500, 1, 1, 1])
    const alone = tf.slice(many, [0, 0, 0, 0], [1, 3, 3, 1])
    const scores = await squeezingScores(model, many)
    expect(scores).toHaveLength(1000)
    expect(scores[998]).toBe(scores[0])
    expect(scores[999]).toBe(scores[1])
    expect((await squeezingScores(model, alone))[0]).toBeCloseTo(scores[0]!, 6)
    tf.dispose([many, alone])
    model.dispose()
  })
})

test('the threshold lets as many honest pictures alarm as it may, by hand', () => {
  expect(squeezingThreshold([0.1, 0.4, 0.2, 0.3], 0)).toBe(0.4)
  expect(squeezingThreshold([0.1, 0.4, 0.2, 0.3], 0.25)).toBe(0.3)
  expect(squeezingThreshold([0.1, 0.4, 0.2, 0.3], 1)).toBe(-Infinity)
  expect(() => squeezingThreshold([], 0.1)).toThrow(/got 0 and 0\.1/)
  expect(() => squeezingThreshold([1], 1.5)).toThrow(/got 1 and 1\.5/)
})
