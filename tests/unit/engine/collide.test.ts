import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import type { DataSet, Split } from '../../../src/data/data-set.ts'
import { createCapabilities } from '../../../src/engine/capabilities.ts'
import { method as collide } from '../../../src/engine/methods/collide.ts'
import type { Workshop } from '../../../src/engine/workshop.ts'
import type { Task } from '../../../src/grading/grader.ts'
import type { Architecture } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'

const architecture: Architecture = {
  name: 'small',
  inputShape: [4, 4, 1],
  numClasses: 2,
  bounds: [0, 1],
  classes: ['dark', 'light'],
  layers: [
    { type: 'conv2d', filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' },
    { type: 'flatten' },
    { type: 'dense', units: 2 },
  ],
}
const weights = initialWeights(architecture, 4)

/** Dark and light pictures, in turn; the last test picture is a light one, not by much. */
function data(): DataSet {
  const rng = createRng(3, 'rows')
  const count = 40
  const all = Float32Array.from({ length: 16 * count }, (_, i) => {
    const id = Math.floor(i / 16)
    return (id % 2 ? (id === count - 1 ? 0.4 : 0.6) : 0.05) + 0.3 * rng.uniform()
  })
  const pixels = (ids: ArrayLike<number>) =>
    Float32Array.from({ length: 16 * ids.length }, (_, i) => all[16 * ids[i >> 4]! + (i % 16)]!)
  const split: Split = {
    count,
    labels: Uint8Array.from({ length: count }, (_, id) => id % 2),
    pixels,
    images: (ids) => tf.tensor(pixels(ids), [ids.length, 4, 4, 1]),
  }
  return {
    name: 'shades',
    noun: 'shade',
    shape: [4, 4, 1],
    classes: architecture.classes,
    train: split,
    test: split,
  }
}
const set = data()
const ids = [0, 2, 4, 6, ...Array.from({ length: 28 }, (_, i) => 8 + i)]
const task: Task = {
  victim: { model: 'small' },
  dataset: 'shades',
  split: 'train',
  ids,
  labels: ids.map((id) => id % 2),
  values: { uploads: 4, target: 0, truth: 1, epsilon: 0.3 },
  aim: { split: 'test', id: 39 },
  training: {
    seed: 3,
    layers: 'last',
    steps: 300,
    batchSize: 8,
    learningRate: 0.05,
    positive: 0,
    falseAlarms: 1,
  },
}

let before = 0
const models: { dispose(): void }[] = []
beforeAll(() => startBackend('cpu', readStatic))
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => {
  for (const model of models.splice(0)) model.dispose()
  expect(tf.memory().numTensors, 'a tensor leaked').toBe(before)
})
const shipped = () => {
  const model = createModel(architecture, weights)
  models.push(model)
  return model
}
const workshop = () => {
  const model = shipped()
  return {
    dataset: async () => set,
    model: async () => model,
    weights: async () => ({ architecture, weights }),
    modelWithWeights: async (_: string, own: Parameters<typeof createModel>[1]) =>
      createModel(architecture, own),
  } as unknown as Workshop
}
const context = (signal = new AbortController().signal) => ({ signal, progress: () => undefined })
const knobs = { count: 4, epsilon: 0.3, steps: 20, neighbours: 5 }

describe('the method behind the collision bench', () => {
  test('pulls the uploads towards the target, inside the budget, and the target along', async () => {
    const made = await collide.run({ task, ...knobs }, context(), workshop())
    expect(made.ids).toEqual([0, 2, 4, 6])
    expect(made.left).toBeLessThan(0.9)
    for (const [i, value] of made.values.entries()) {
      expect(Math.abs(value - made.bases[i]!)).toBeLessThanOrEqual(0.3 + 1e-6)
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThanOrEqual(1)
    }
    expect(made.after.chance).toBeGreaterThan(made.before.chance)
    expect(made.plane.target).toHaveLength(2)
    expect([made.plane.from.length, made.plane.to.length]).toEqual([8, 8])
    expect(made.filter.caught).toBeLessThanOrEqual(4)
    const mean = (flat: Float64Array) => flat.filter((_, i) => i % 2 === 0).reduce((a, b) => a + b, 0) / 4
    expect(mean(made.plane.to)).toBeGreaterThan(mean(made.plane.from))
  })

  test('a budget of none, and no poison at all, change nothing', async () => {
    const still = await collide.run({ task, ...knobs, epsilon: 0 }, context(), workshop())
    expect(still.left).toBe(1)
    expect(still.after).toEqual(still.before)
    const none = await collide.run({ task, ...knobs, count: 0 }, context(), workshop())
    expect(none.ids).toEqual([])
    expect(none.left).toBeNaN()
    for (const made of [still, none]) {
      const given = collide.transfer!(made)
      expect(new Set(given).size, 'a worker refuses to hand over the same memory twice').toBe(given.length)
    }
  })

  test('stops when it is told to, and is refused without a target', async () => {
    const abort = new AbortController()
    abort.abort()
    await expect(collide.run({ task, ...knobs }, context(abort.signal), workshop())).rejects.toMatchObject({
      code: 'cancelled',
    })
    const aimless = { ...task, aim: undefined }
    await expect(collide.run({ task: aimless, ...knobs }, context(), workshop())).rejects.toThrow('no target')
  })
})

describe('what a program may ask of the features', () => {
  const serve = (own: Partial<Task> = {}, access = ['features', 'target', 'retrain', 'victim', 'data']) => {
    const server = createCapabilities({
      model: shipped(),
      dataset: set,
      task: { ...task, ...own },
      spec: { access, maxQueries: 100_000, seconds: 10 },
      seed: 7,
    })
    models.push({ dispose: () => server.close() })
    return server
  }
  const wire = (rows: number[]) => ({
    shape: [rows.length, 4, 4, 1],
    dtype: 'float32',
    values: set.train.pixels(rows),
  })

  test('their size, their values, and the way back to the pixels', async () => {
    const server = serve()
    expect(await server.call('features.size', [])).toBe(64)
    const seen = (await server.call('features.logits', [wire([1, 2])])) as {
      shape: number[]
      values: Float32Array
    }
    expect(seen.shape).toEqual([2, 64])
    const cotangent = { shape: [2, 64], dtype: 'float32', values: seen.values }
    const back = (await server.call('features.vjp', [wire([1, 2]), cotangent])) as { values: Float32Array }
    // A small step along the gradient of half the squared length makes the features longer.
    const longer = wire([1, 2])
    longer.values = longer.values.map((value, i) => value + 1e-3 * back.values[i]!)
    const after = (await server.call('features.logits', [longer])) as { values: Float32Array }
    const length = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0)
    expect(length(after.values)).toBeGreaterThan(length(seen.values))
    expect(server.summary().rows).toEqual({ logits: 4, gradient: 2 })
  })

  test('the target, and a victim whose last layer alone is new', async () => {
    const server = serve()
    expect(await server.call('data.target', [])).toMatchObject({
      x: { shape: [1, 4, 4, 1], values: set.test.pixels([39]) },
      y: 1,
    })
    const seen = await server.call('features.logits', [wire([3])])
    await server.call('retrain', [Int32Array.of(), Int32Array.of(), null])
    expect(await server.call('features.logits', [wire([3])])).toEqual(seen)
  })

  test('only where they are granted, and where there is a target', async () => {
    const without = serve({}, ['data'])
    for (const name of ['features.size', 'features.logits', 'data.target'])
      await expect(without.call(name, [])).rejects.toThrow('not part of this checkpoint')
    await expect(serve({ aim: undefined }).call('data.target', [])).rejects.toThrow('has no target')
  })
})
