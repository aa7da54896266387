import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import {
  integratedGradients,
  logitGradient,
  probabilityGradient,
  type GradientAt,
} from '../../../src/metrics/attribution.ts'
import type { Model } from '../../../src/models/model.ts'
import { linearModel } from '../attacks/linear.ts'

describe('attribution', () => {
  let model: Model
  let before = 0
  beforeAll(async () => {
    await startBackend('cpu', readStatic)
    model = linearModel(2, 2, [3, -1, 2, 5])
  })
  afterAll(() => model.dispose())
  beforeEach(() => void (before = tf.memory().numTensors))
  afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

  async function at(gradient: Promise<tf.Tensor>): Promise<number[]> {
    const tensor = await gradient
    const values = [...(await tensor.data())]
    tensor.dispose()
    return values
  }

  test('a linear model’s logit gradient is its kernel’s column, its integral column times input', async () => {
    const x = tf.tensor([
      [0.5, 0.25],
      [1, 0],
    ])
    const gradient = logitGradient(model, [0, 1])
    expect(await at(gradient(x))).toEqual([3, 2, -1, 5])
    for (const rule of ['midpoint', 'trapezoid'] as const)
      expect(await at(integratedGradients(gradient, x, 7, rule))).toEqual(
        [1.5, 0.5, -1, 0].map((value) => expect.closeTo(value, 6)),
      )
    x.dispose()
  })

  test('the probability’s gradient is p₀ p₁ times the difference of the columns', async () => {
    const x = tf.tensor([[0, 0]])
    expect(await at(probabilityGradient(model, [0])(x))).toEqual(
      [0.25 * 4, 0.25 * -3].map((value) => expect.closeTo(value, 6)),
    )
    x.dispose()
  })

  test('the two rules look at different points of the path', async () => {
    const x = tf.tensor([[1]])
    const looked: number[] = []
    const gradient: GradientAt = async (point) => (looked.push((await point.data())[0]!), tf.square(point))
    // ∫ t² dt: two midpoints give 5/16, three ends with the outer two at half weight give 3/8.
    expect((await at(integratedGradients(gradient, x, 2, 'midpoint')))[0]).toBeCloseTo(5 / 16, 6)
    expect(looked).toEqual([0.25, 0.75])
    looked.length = 0
    expect((await at(integratedGradients(gradient, x, 2, 'trapezoid')))[0]).toBeCloseTo(3 / 8, 6)
    expect(looked).toEqual([0, 0.5, 1])
    x.dispose()
  })

  test.each([0, -1, 1.5, NaN])('refuses %d steps', async (steps) => {
    const x = tf.tensor([[1, 1]])
    await expect(integratedGradients(logitGradient(model, [0]), x, steps, 'midpoint')).rejects.toThrow(
      /steps must be a whole number/,
    )
    x.dispose()
  })
})
