/** Poison in earnest: a small model is trained on it, and must do what the paper says that it then does. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PoisoningEntry } from '../../../src/attacks/attack.ts'
import { entry as badnets, patchTrigger } from '../../../src/attacks/poisoning/badnets.ts'
import { blendedTrigger, entry as blended } from '../../../src/attacks/poisoning/blended.ts'
import { featureCollision } from '../../../src/attacks/poisoning/feature-collision.ts'
import { lossGuidedFlip } from '../../../src/attacks/poisoning/loss-guided-flip.ts'
import { randomFlip } from '../../../src/attacks/poisoning/random-flip.ts'
import { entry as sinusoidal, waveTrigger } from '../../../src/attacks/poisoning/sinusoidal.ts'
import { applyTrigger, type Trigger } from '../../../src/attacks/trigger.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import { rowOf, type LabelledRows } from '../../../src/data/labelled-rows.ts'
import {
  measureFilter,
  accuracyOf,
  attackSuccess,
  recallAtFalseAlarms,
} from '../../../src/metrics/poisoning.ts'
import { knnSuspicion } from '../../../src/defences/sanitation/knn.ts'
import { spectralSuspicion } from '../../../src/defences/sanitation/spectral.ts'
import { featureModel, featuresOf } from '../../../src/models/features.ts'
import type { Architecture, Model } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { createTrainer } from '../../../src/models/trainer.ts'
import { initialWeights } from '../../../src/models/weights.ts'

const shape = [8, 8, 1]
/** A bright bar, which lies in another pair of rows for each of three classes, in noise. */
function bars(count: number, seed: number): LabelledRows {
  const rng = createRng(seed, 'bars')
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3)
  return {
    ids: Int32Array.from(labels.keys()),
    x: Float32Array.from({ length: count * 64 }, (_, k) => {
      const row = Math.floor((k % 64) / 8)
      const bright = row >> 1 === labels[Math.floor(k / 64)]
      return (bright ? 0.5 : 0.1) + 0.3 * rng.uniform()
    }),
    shape,
    labels,
    numClasses: 3,
  }
}
/** Two heaps that overlap, one of them rare. */
function rare(count: number, seed: number): LabelledRows {
  const rng = createRng(seed, 'rare')
  const labels = Int32Array.from({ length: count }, (_, i) => Number(i % 10 === 0))
  return {
    ids: Int32Array.from(labels.keys()),
    x: Float32Array.from({ length: count * 2 }, (_, k) => 0.5 + 0.08 * rng.normal() + 0.2 * labels[k >> 1]!),
    shape: [2],
    labels,
    numClasses: 2,
  }
}

const net = (inputShape: readonly number[], numClasses: number): Architecture => ({
  name: 'small',
  inputShape: [...inputShape],
  numClasses,
  bounds: [0, 1],
  classes: Array.from({ length: numClasses }, (_, k) => String(k)),
  layers: [
    { type: 'flatten' },
    { type: 'dense', units: 12, activation: 'relu' },
    { type: 'dense', units: numClasses },
  ],
})

/** Whole-batch Adam from nothing. */
async function trained(rows: LabelledRows, steps: number, rate = 0.02): Promise<Model> {
  const architecture = net(rows.shape, rows.numClasses)
  const trainer = createTrainer(architecture, initialWeights(architecture, 1))
  const x = tf.tensor(rows.x, [rows.ids.length, ...rows.shape])
  try {
    for (let step = 0; step < steps; step++) trainer.step(x, rows.labels, rate).dispose()
    return createModel(architecture, await trainer.weights())
  } finally {
    x.dispose()
    trainer.dispose()
  }
}

async function logits(model: Model, rows: LabelledRows, trigger?: Trigger): Promise<Float32Array> {
  const pixels = trigger
    ? Float32Array.from(
        [...rows.ids.keys()].flatMap((place) => [...applyTrigger(rowOf(rows, place), shape, trigger)]),
      )
    : rows.x
  const x = tf.tensor(pixels, [rows.ids.length, ...rows.shape])
  try {
    return await model.logitsArray(x)
  } finally {
    x.dispose()
  }
}
const top = (scores: Float32Array, classes: number) =>
  Int32Array.from({ length: scores.length / classes }, (_, i) =>
    scores
      .subarray(i * classes, (i + 1) * classes)
      .reduce((best, z, k, row) => (z > row[best]! ? k : best), 0),
  )

describe('trained on poison', () => {
  let before = 0
  beforeAll(() => startBackend('cpu', readStatic))
  beforeEach(() => void (before = tf.memory().numTensors))
  afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

  const patch = {
    size: 2,
    corner: 'bottom-right',
    margin: 0,
    pattern: 'square',
    shade: 1,
    opacity: 1,
  } as const
  const wave = { amplitude: 0.2, frequency: 2, along: 'width' } as const
  test.each<[string, PoisoningEntry, object, Trigger]>([
    ['a patch', badnets, patch, patchTrigger(patch, shape)],
    ['a blended picture', blended, { opacity: 0.3 }, blendedTrigger({ opacity: 0.3, patternSeed: 1 }, shape)],
    ['a wave', sinusoidal, { ...wave, cleanLabel: false }, waveTrigger(wave)],
  ])('a model obeys %s and reads clean images as before', async (_, entry, options, trigger) => {
    if (entry.takes !== 'labelled-rows' || entry.access !== 'data') throw new Error('knows too much')
    const { data } = await entry.run(bars(240, 1), { target: 2, share: 0.08, ...options }, { seed: 1 })
    const clean = await trained(bars(240, 1), 60)
    const victim = await trained(data, 60)
    const test = bars(90, 2)
    const read = async (model: Model, stamped?: Trigger) => top(await logits(model, test, stamped), 3)
    expect(accuracyOf(await read(victim), test.labels)).toBeGreaterThanOrEqual(0.97)
    expect(attackSuccess(await read(victim, trigger), test.labels, () => 2)).toBeGreaterThanOrEqual(0.9)
    expect(attackSuccess(await read(clean, trigger), test.labels, () => 2)).toBeLessThanOrEqual(0.1)
    clean.dispose()
    victim.dispose()
  })

  test('the patch leaves a spectral signature in the features of its class', async () => {
    if (badnets.takes !== 'labelled-rows' || badnets.access !== 'data') throw new Error('knows too much')
    const { data, poisonedIds } = await badnets.run(
      bars(240, 1),
      { target: 2, share: 0.05, ...patch },
      { seed: 1 },
    )
    const victim = await trained(data, 60)
    const features = await featuresOf(victim, data)
    // Twelve poisons among some ninety rows of class 2.
    const { flaggedIds } = spectralSuspicion(features, { poisonShare: 0.13 })
    const inClass = flaggedIds.filter((id) => data.labels[id] === 2)
    expect(measureFilter(inClass, poisonedIds, 240).recall).toBeGreaterThanOrEqual(0.9)
    victim.dispose()
  })

  test('flips of the surest rare rows cost more recall than as many drawn blindly, and neighbours tell on few of them', async () => {
    const [train, test] = [rare(600, 1), rare(600, 2)]
    const surrogate = await trained(train, 150)
    const budget = { share: 0.06 }
    const guided = await lossGuidedFlip(train, surrogate, { ...budget, from: 1, to: 0 }, { seed: 1 })
    const blind = await randomFlip(train, budget, { seed: 1 })
    expect([guided.poisonedIds.length, blind.poisonedIds.length]).toEqual([36, 36])
    const recall = async (rows: LabelledRows) => {
      const model = await trained(rows, 150)
      const z = await logits(model, test)
      model.dispose()
      const scores = Float64Array.from(test.labels, (_, i) => z[2 * i + 1]! - z[2 * i]!)
      return recallAtFalseAlarms(scores, test.labels, 0.02).recall
    }
    const [clean, byLoss, byChance] = [
      await recall(train),
      await recall(guided.data),
      await recall(blind.data),
    ]
    expect(clean).toBeGreaterThan(0.5)
    expect(clean - byLoss).toBeGreaterThan(clean - byChance + 0.15)
    // Drawn blindly, flips stand alone and neighbours see them; of a class flipped nearly whole they see
    // less.
    const caught = async ({ data, poisonedIds }: typeof guided) => {
      const { flaggedIds } = await knnSuspicion(data, { neighbours: 10, confidence: 0.6 }, { seed: 1 })
      return measureFilter(flaggedIds, poisonedIds, 600).recall
    }
    expect(await caught(guided)).toBeLessThan(await caught(blind))
    surrogate.dispose()
  })

  test('feature collisions drag a target along when the last layer is fitted again, and random noise does not', async () => {
    const rows = bars(240, 1)
    const victim = await trained(rows, 60)
    const features = await featureModel(victim)
    const target = rowOf(bars(9, 5), 1).slice()
    const aim = { features, target, baseClass: 0 }
    const poison = (options: object) =>
      featureCollision(
        rows,
        aim,
        { share: 0.1, epsilon: 0.5, steps: 120, stepSize: 0.4, pull: 0, ...options },
        { seed: 1 },
      )
    const collided = await poison({})
    const change = collided.data.x.map((value, k) => Math.abs(value - rows.x[k]!))
    expect(Math.max(...change)).toBeLessThanOrEqual(0.5 + 1e-6)
    expect(collided.data.labels).toEqual(rows.labels)
    const rng = createRng(3)
    const noisy = {
      ...rows,
      x: collided.data.x.map((value, k) =>
        value === rows.x[k]! ? value : Math.max(0, Math.min(1, rows.x[k]! + rng.uniform() - 0.5)),
      ),
    }

    /**
     * How sure a fitted last layer is that the target is of the base class, over its own: a difference of
     * logits.
     */
    const lead = async (data: LabelledRows) => {
      const seen = await featuresOf(victim, data)
      const head: Architecture = {
        ...net([seen.size], 3),
        layers: [{ type: 'dense', units: 3 }],
      }
      const trainer = createTrainer(head, initialWeights(head, 2))
      const x = tf.tensor(seen.x, [data.ids.length, seen.size])
      for (let step = 0; step < 300; step++) trainer.step(x, data.labels, 0.05).dispose()
      const pixels = tf.tensor(target, [1, ...shape])
      const at = await features.logits(pixels)
      const z = await trainer.model.logitsArray(at)
      tf.dispose([x, pixels, at])
      trainer.dispose()
      return z[0]! - z[1]!
    }
    const [clean, noise, collision] = [await lead(rows), await lead(noisy), await lead(collided.data)]
    expect(clean).toBeLessThan(0)
    expect(noise).toBeLessThan(clean / 2)
    expect(collision).toBeGreaterThan(clean / 4)
    features.dispose()
    victim.dispose()
  })
})
