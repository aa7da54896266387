import { beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { normalQuantile } from '../../../src/core/statistics.ts'
import * as tf from '../../../src/core/tf.ts'
import {
  abstain,
  ceiling,
  certificate,
  certifiedAccuracy,
  winner,
} from '../../../src/defences/certification/certificate.ts'
import {
  certify,
  predict,
  sampleUnderNoise,
} from '../../../src/defences/certification/randomised-smoothing.ts'
import { underNoise } from '../../../src/defences/certification/under-noise.ts'
import { createModel } from '../../../src/models/network.ts'
import type { Model } from '../../../src/models/model.ts'

/** Two classes, told apart by the line x₀ = ½: under noise, P(class 1) = Φ((x₀ − ½) / σ), so all is known. */
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
beforeAll(async () => {
  await startBackend('wasm', readStatic)
  model = line()
})
const points = (...rows: [number, number][]) => tf.tensor2d(rows)
const options = { sigma: 0.5, n0: 50, n: 4000, alpha: 0.001 }

describe('randomised smoothing', () => {
  test('votes fall as the distance to the border says', async () => {
    const x = points([0.5, 0], [1, 0], [0, 1])
    const [border, right, left] = await sampleUnderNoise(model, x, { sigma: 0.5, n: 20_000 }, { seed: 1 })
    // Φ(1) = 0.8413 of the copies stay on their side; ±0.013 is five standard errors.
    expect(Math.abs(border![1]! / 20_000 - 0.5)).toBeLessThan(0.018)
    expect(Math.abs(right![1]! / 20_000 - 0.8413)).toBeLessThan(0.013)
    expect(Math.abs(left![0]! / 20_000 - 0.8413)).toBeLessThan(0.013)
    expect(right![0]! + right![1]!).toBe(20_000)
    x.dispose()
  })

  test('a radius is never above the distance to the border, and near it with many copies', async () => {
    const x = points([0.5, 0.3], [0.7, 0.3], [0.9, 0], [0.1, 1], [1, 1])
    const made = await certify(model, x, options, { seed: 2 })
    const distances = [0, 0.2, 0.4, 0.4, 0.5]
    expect(made.map((one) => one.class)).toEqual([abstain, 1, 1, 0, 1])
    made.forEach(({ radius }, i) => {
      expect(radius).toBeLessThanOrEqual(distances[i]!)
      if (distances[i]! > 0) expect(radius).toBeGreaterThan(distances[i]! - 0.08)
    })
    x.dispose()
  })

  test('an image’s votes do not depend on how many come with it; the seed moves them', async () => {
    const x = points([0.7, 0], [0.6, 0], [0.55, 0])
    const alone = tf.slice(x, [0, 0], [1, 2])
    const sample = (at: tf.Tensor, seed: number) =>
      sampleUnderNoise(model, at, { sigma: 0.5, n: 300 }, { seed })
    const together = await sample(x, 7)
    expect((await sample(alone, 7))[0]).toEqual(together[0])
    expect(await sample(x, 7)).toEqual(together)
    expect(await sample(x, 8)).not.toEqual(together)
    tf.dispose([x, alone])
  })

  test('the copies that are counted are not those that chose the class', async () => {
    const seen: number[][] = []
    const watched = {
      inputShape: [2],
      numClasses: 2,
      logits: async (noisy: tf.Tensor) => {
        seen.push([...(await noisy.data())])
        return model.logits(noisy)
      },
    }
    const x = points([0.7, 0])
    await certify(watched, x, { ...options, n0: 20, n: 20 }, { seed: 3 })
    expect(seen).toHaveLength(2)
    expect(seen[0]!.filter((value) => seen[1]!.includes(value))).toEqual([])
    x.dispose()
  })

  test('predict answers where the votes settle it, and abstains on the border', async () => {
    const x = points([0.5, 0], [0.9, 0], [0.1, 0])
    expect(await predict(model, x, { sigma: 0.5, n: 500, alpha: 0.001 }, { seed: 1 })).toEqual([
      abstain,
      1,
      0,
    ])
    x.dispose()
  })

  test('winner: 8 of 10 is a coin’s doing at 5 %, 9 of 10 is not; no votes, no winner', () => {
    expect(winner([8, 2, 0], 0.05)).toBe(abstain)
    expect(winner([1, 9, 0], 0.05)).toBe(1)
    expect(winner([5, 5], 0.999)).toBe(abstain)
    expect(winner([0, 0], 0.05)).toBe(abstain)
  })

  test('what votes prove, by hand: unanimous ones give σ·Φ⁻¹(α^(1/n)), the ceiling; a half gives nothing', () => {
    const known = { sigma: 0.5, n: 500, alpha: 0.001 }
    expect(certificate(3, 500, known)).toMatchObject({ class: 3, votes: 500 })
    expect(certificate(3, 500, known).radius).toBeCloseTo(0.5 * normalQuantile(0.001 ** (1 / 500)), 12)
    expect(ceiling(known)).toBeCloseTo(1.1025, 3)
    expect(certificate(3, 280, known)).toEqual({ class: abstain, radius: 0, votes: 280 })
    expect(certificate(3, 400, { ...known, sigma: 1 }).radius).toBeCloseTo(
      2 * certificate(3, 400, known).radius,
      12,
    )
  })

  test('certifiedAccuracy wants the right class and the radius', () => {
    const made = [
      { class: 1, radius: 0.5 },
      { class: 2, radius: 0.9 },
      { class: abstain, radius: 0 },
      { class: 4, radius: 0.2 },
    ]
    expect([0, 0.2, 0.5, 0.6].map((r) => certifiedAccuracy(made, [1, 3, 3, 4], r))).toEqual([
      0.5, 0.5, 0.25, 0,
    ])
  })

  test('under noise, the mean gradient is steepest where the noise straddles the border', async () => {
    const access = underNoise(model, { sigma: 0.5, samples: 200 }, 4)
    const x = points([0.5, 0], [4, 0])
    const before = tf.memory().numTensors
    const answer = await access.lossAndGradient(x, [1, 1])
    const logits = await access.logits(x)
    const product = await access.vjp(x, points([1, 0], [1, 0]))
    expect(answer.gradient.shape).toEqual([2, 2])
    const slopes = await answer.gradient.data()
    // Half of the copies of the first lie on the wrong side, with slope −20 each.
    expect(slopes[0]).toBeLessThan(-8)
    expect(slopes[0]).toBeGreaterThan(-12)
    expect(slopes[2]).toBeCloseTo(0, 5)
    expect((await logits.data())[2]).toBeCloseTo(-35, 0)
    expect([...(await product.data())].map(Math.round)).toEqual([-10, 0, -10, 0])
    tf.dispose([answer.loss, answer.gradient, logits, product])
    // The cotangent made in the call above is ours.
    expect(tf.memory().numTensors).toBe(before + 1)
    x.dispose()
  })

  test('under noise, every copy keeps the label and the weights of its own row', async () => {
    const access = underNoise(model, { sigma: 0.05, samples: 16 }, 4)
    const x = points([0.9, 0], [0.1, 0], [0.9, 0])
    const { loss, gradient } = await access.lossAndGradient(x, [1, 0, 0])
    const [right, alsoRight, wrong] = await loss.data()
    expect(right).toBeLessThan(0.1)
    expect(alsoRight).toBeLessThan(0.1)
    expect(wrong).toBeGreaterThan(6)
    const weights = points([1, 0], [0, 1], [0, 0])
    const product = await access.vjp(x, weights)
    expect([...(await product.data())].map(Math.round)).toEqual([-10, 0, 10, 0, 0, 0])
    tf.dispose([x, loss, gradient, weights, product])
  })

  test('one image and a thousand, one class, constant images, pixels at 0 and 1', async () => {
    const one = points([0, 1])
    const many = tf.fill([1000, 2], 1)
    expect(await certify(model, one, { ...options, n: 10, n0: 1 }, { seed: 1 })).toHaveLength(1)
    const counts = await sampleUnderNoise(model, many, { sigma: 0.5, n: 3 }, { seed: 1 })
    expect(counts).toHaveLength(1000)
    expect(counts.every((each) => each[0]! + each[1]! === 3)).toBe(true)
    const single = {
      inputShape: [2],
      numClasses: 1,
      logits: async (x: tf.Tensor) => tf.zeros([x.shape[0]!, 1]),
    }
    expect(await certify(single, one, { ...options, n: 100 }, { seed: 1 })).toMatchObject([
      { class: 0, votes: 100 },
    ])
    tf.dispose([one, many])
  })

  test.each<[string, Partial<typeof options>, RegExp]>([
    ['no noise', { sigma: 0 }, /sigma must be above 0; got 0/],
    ['negative noise', { sigma: -1 }, /sigma must be above 0; got -1/],
    ['noise that is not a number', { sigma: NaN }, /sigma must be above 0; got NaN/],
    ['no copies to choose by', { n0: 0 }, /n0 must be a whole number of at least 1; got 0/],
    ['half a copy', { n: 10.5 }, /n must be a whole number of at least 1; got 10.5/],
    ['no doubt at all', { alpha: 0 }, /alpha must lie between 0 and 1; got 0/],
  ])('refuses %s', async (_, change, message) => {
    const x = points([0.5, 0])
    await expect(certify(model, x, { ...options, ...change }, { seed: 1 })).rejects.toThrow(message)
    x.dispose()
  })

  test('tells how far it is, stops when asked, and leaves no tensor behind', async () => {
    const x = points([0.5, 0], [0.6, 0])
    const before = tf.memory().numTensors
    const steps: number[] = []
    await certify(
      model,
      x,
      { ...options, n: 500 },
      { seed: 1, onStep: (done, total) => steps.push(done / total) },
    )
    expect(steps.at(-1)).toBe(1)
    expect(steps).toEqual([...steps].sort((a, b) => a - b))
    const stop = new AbortController()
    const stopped = certify(model, x, options, { seed: 1, signal: stop.signal, onStep: () => stop.abort() })
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' })
    expect(tf.memory().numTensors).toBe(before)
    x.dispose()
  })
})
