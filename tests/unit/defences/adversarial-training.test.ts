import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import type { DataSet, Split } from '../../../src/data/data-set.ts'
import {
  accuracyUnderFgsm,
  adversarialTraining,
  type AdversarialTrainingOptions,
} from '../../../src/defences/training/adversarial-training.ts'
import type { Architecture } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'

/**
 * Two classes told apart by one strong input (0.5 ± 0.3) and by ten weak ones (0.5 ± 0.05): the weak ones
 * together are tempting, and a step of 0.1 turns them all (Tsipras et al. 2019).
 */
function temptingData(count: number, seed: number): Split {
  const rng = createRng(seed)
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 2)
  const rows = Float32Array.from({ length: count * 11 }, (_, i) => {
    const sign = labels[Math.floor(i / 11)] ? 1 : -1
    return 0.5 + sign * (i % 11 === 0 ? 0.3 : 0.05) + 0.02 * rng.normal()
  })
  const pixels = (ids: ArrayLike<number>) =>
    Float32Array.from({ length: ids.length * 11 }, (_, i) => rows[ids[Math.floor(i / 11)]! * 11 + (i % 11)]!)
  return { count, labels, pixels, images: (ids) => tf.tensor(pixels(ids), [ids.length, 11]) }
}

const architecture: Architecture = {
  name: 'linear',
  inputShape: [11],
  numClasses: 2,
  bounds: [0, 1],
  classes: ['0', '1'],
  layers: [{ type: 'dense', units: 2 }],
}
const dataset: DataSet = {
  name: 'tempting',
  shape: [11] as unknown as DataSet['shape'],
  classes: ['0', '1'],
  train: temptingData(200, 1),
  test: temptingData(100, 2),
}
const options: AdversarialTrainingOptions = {
  architecture,
  weights: initialWeights(architecture, 4),
  dataset,
  epochs: 12,
  batchSize: 20,
  learningRate: 0.1,
  epsilon: 0.1,
  share: 1,
  readings: 0,
}

describe('adversarial training', () => {
  let before = 0
  beforeAll(() => startBackend('cpu', readStatic))
  beforeEach(() => void (before = tf.memory().numTensors))
  afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

  async function robustness(change: Partial<AdversarialTrainingOptions>, epsilon = 0.2): Promise<number> {
    const { weights } = await adversarialTraining({ ...options, ...change }, { seed: 5 })
    const model = createModel(architecture, weights)
    const ids = Array.from({ length: 100 }, (_, i) => i)
    const kept = await accuracyUnderFgsm(model, dataset.test, ids, epsilon, { seed: 0 })
    model.dispose()
    return kept
  }

  test('holds where ordinary training falls: it leaves the tempting inputs alone', async () => {
    const ordinary = await robustness({ share: 0 })
    const hardened = await robustness({ epsilon: 0.2 })
    expect(hardened).toBeGreaterThan(0.9)
    expect(hardened).toBeGreaterThan(ordinary + 0.2)
  })

  test('the same seed gives the same weights; share, epsilon, epochs and rate each change them', async () => {
    const weightsOf = async (change: Partial<AdversarialTrainingOptions>) => {
      const { weights } = await adversarialTraining(
        { ...options, epochs: 1, share: 0.5, ...change },
        { seed: 5 },
      )
      return weights.map(({ values }) => [...values])
    }
    const base = await weightsOf({})
    expect(await weightsOf({})).toEqual(base)
    for (const change of [
      { share: 0.2 },
      { epsilon: 0.05 },
      { epochs: 2 },
      { learningRate: 0.05 },
      { batchSize: 50 },
    ])
      expect(await weightsOf(change)).not.toEqual(base)
  })

  test('reads clean and attacked accuracy as often as asked, and at the end', async () => {
    const { history } = await adversarialTraining({ ...options, epochs: 4, readings: 4 }, { seed: 5 })
    const readings = history.filter(({ cleanAccuracy }) => cleanAccuracy !== undefined)
    expect(readings.map(({ step }) => step)).toEqual([10, 20, 30, 40])
    expect(readings.at(-1)!.cleanAccuracy).toBeGreaterThan(0.95)
    expect(readings.at(-1)!.attackedAccuracy).toBeLessThanOrEqual(readings.at(-1)!.cleanAccuracy!)
    const last = await adversarialTraining({ ...options, epochs: 4 }, { seed: 5 })
    expect(last.history.filter(({ cleanAccuracy }) => cleanAccuracy !== undefined)).toHaveLength(1)
  })

  test('a cancel between steps leaves nothing behind', async () => {
    const controller = new AbortController()
    const run = {
      seed: 5,
      signal: controller.signal,
      onStep: (done: number) => done === 3 && controller.abort(),
    }
    await expect(adversarialTraining(options, run as never)).rejects.toMatchObject({ code: 'cancelled' })
  })

  test.each([
    [{ share: -0.1 }, /share must be from 0 to 1/],
    [{ share: 2 }, /share must be from 0 to 1; got 2/],
    [{ epsilon: NaN }, /epsilon must be at least 0; got NaN/],
  ])('refuses %j', async (change, message) => {
    await expect(adversarialTraining({ ...options, ...change }, { seed: 5 })).rejects.toThrow(message)
  })
})
