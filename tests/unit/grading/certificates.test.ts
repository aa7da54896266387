import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import { attackUnderNoise, votesUnderNoise } from '../../../src/grading/certificates.ts'
import type { Model } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'

/** Two classes told apart by the line x₀ = ½; x₁ says nothing. Under noise, P(class 1) = Φ((x₀ − ½) / σ). */
function line(): Model {
  return createModel(
    {
      name: 'line',
      inputShape: [2],
      numClasses: 2,
      bounds: [0, 1],
      classes: ['left', 'right'],
      layers: [{ type: 'dense', units: 2 }],
    },
    [
      { name: 'dense/kernel', shape: [2, 2], values: Float32Array.of(-10, 10, 0, 0) },
      { name: 'dense/bias', shape: [2], values: Float32Array.of(5, -5) },
    ],
  )
}

let model: Model
let tensors = 0
beforeAll(async () => {
  await startBackend('wasm', readStatic)
  model = line()
})
beforeEach(() => void (tensors = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(tensors))

describe('votes under noise', () => {
  test('fall as the distance to the border says, for each image of the row-major pixels', async () => {
    const pixels = Float32Array.of(1, 0.2, 0.5, 0.9, 0, 0)
    const votes = await votesUnderNoise(model, pixels, { sigma: 0.5, n: 10_000 }, 1)
    expect(votes.map((each) => each[0]! + each[1]!)).toEqual([10_000, 10_000, 10_000])
    // Φ(1) = 0.8413 on their own side; ±0.018 is five standard errors.
    expect(Math.abs(votes[0]![1]! / 10_000 - 0.8413)).toBeLessThan(0.018)
    expect(Math.abs(votes[1]![1]! / 10_000 - 0.5)).toBeLessThan(0.025)
    expect(Math.abs(votes[2]![0]! / 10_000 - 0.8413)).toBeLessThan(0.018)
    expect([...pixels]).toEqual([...Float32Array.of(1, 0.2, 0.5, 0.9, 0, 0)])
  })

  test('come from the seed: the same again with it, others with another', async () => {
    const pixels = Float32Array.of(0.6, 0, 0.4, 0)
    const vote = (seed: number) => votesUnderNoise(model, pixels, { sigma: 0.5, n: 400 }, seed)
    expect(await vote(7)).toEqual(await vote(7))
    expect(await vote(7)).not.toEqual(await vote(8))
  })

  test('refuse noise of no length and no votes', async () => {
    const pixels = Float32Array.of(0.6, 0)
    await expect(votesUnderNoise(model, pixels, { sigma: 0, n: 4 }, 1)).rejects.toThrow(
      /sigma must be above 0/,
    )
    await expect(votesUnderNoise(model, pixels, { sigma: 1, n: 0 }, 1)).rejects.toThrow(/n must be a whole/)
  })
})

describe('an attack under noise', () => {
  const at = (x0: number, x1: number) => Float32Array.of(x0, x1)

  test('goes straight for the border with all of its length, whichever side it is on', async () => {
    const right = await attackUnderNoise(model, at(0.8, 0.3), 1, { sigma: 0.25, epsilon: 0.2 }, 3)
    expect(right[0]).toBeCloseTo(0.6, 3)
    expect(right[1]).toBeCloseTo(0.3, 3)
    const left = await attackUnderNoise(model, at(0.2, 0.3), 0, { sigma: 0.25, epsilon: 0.2 }, 3)
    expect(left[0]).toBeCloseTo(0.4, 3)
  })

  test('leads away from the label that it is told, and stays in the ball and the bounds', async () => {
    const moved = await attackUnderNoise(model, at(0.9, 1), 0, { sigma: 0.25, epsilon: 0.3 }, 3)
    expect(moved[0]).toBeCloseTo(1, 5)
    for (const value of moved) expect(value >= 0 && value <= 1).toBe(true)
    const far = await attackUnderNoise(model, at(0.9, 0.5), 1, { sigma: 0.25, epsilon: 0.3 }, 3)
    expect(Math.hypot(far[0]! - 0.9, far[1]! - 0.5)).toBeLessThanOrEqual(0.3 + 1e-6)
  })

  test('sees the border through the noise where the bare model is flat', async () => {
    // x₀ of 1 under relu(x₀ − ½): right of ½ the slope is that of the line, left of it none.
    const step = createModel(
      {
        name: 'step',
        inputShape: [1],
        numClasses: 2,
        bounds: [0, 1],
        classes: ['0', '1'],
        layers: [
          { type: 'dense', units: 1, activation: 'relu' },
          { type: 'dense', units: 2 },
        ],
      },
      [
        { name: 'dense1/kernel', shape: [1, 1], values: Float32Array.of(1) },
        { name: 'dense1/bias', shape: [1], values: Float32Array.of(-0.5) },
        { name: 'dense2/kernel', shape: [1, 2], values: Float32Array.of(0, 1) },
        { name: 'dense2/bias', shape: [2], values: Float32Array.of(0, -0.2) },
      ],
    )
    const from = Float32Array.of(0.3)
    const blind = await attackUnderNoise(step, from, 0, { sigma: 1e-6, epsilon: 0.2 }, 3)
    expect(blind[0]).toBeCloseTo(0.3, 6)
    const seeing = await attackUnderNoise(step, from, 0, { sigma: 0.3, epsilon: 0.2, draws: 64 }, 3)
    expect(seeing[0]).toBeGreaterThan(0.45)
    step.dispose()
  })

  test('comes from the seed, and asks as often as it is told', async () => {
    const asked: number[] = []
    const watched = {
      ...model,
      inputShape: model.inputShape,
      numClasses: model.numClasses,
      bounds: model.bounds,
      lossAndGradient: (...args: Parameters<Model['lossAndGradient']>) => (
        asked.push(args[0].shape[0]!),
        model.lossAndGradient(...args)
      ),
    } as unknown as Model
    await attackUnderNoise(watched, at(0.6, 0.6), 1, { sigma: 1, epsilon: 0.3, steps: 5, draws: 7 }, 3)
    expect(asked).toEqual([7, 7, 7, 7, 7])
    asked.length = 0
    await attackUnderNoise(watched, at(0.6, 0.6), 1, { sigma: 1, epsilon: 0.3 }, 3)
    expect(asked).toEqual(new Array<number>(12).fill(16))
  })

  test('refuses a ball of no length', async () => {
    await expect(attackUnderNoise(model, at(0.5, 0.5), 1, { sigma: 0.2, epsilon: 0 }, 3)).rejects.toThrow(
      RangeError,
    )
    await expect(attackUnderNoise(model, at(0.5, 0.5), 1, { sigma: 0.2, epsilon: -1 }, 3)).rejects.toThrow(
      /epsilon must be at least 0/,
    )
  })
})
