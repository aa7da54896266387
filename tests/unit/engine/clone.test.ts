import { beforeAll, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import * as tf from '../../../src/core/tf.ts'
import { method as cloneCurve } from '../../../src/engine/methods/clone-curve.ts'
import { method as compareCopy } from '../../../src/engine/methods/compare-copy.ts'
import { createWorkshop, type Workshop } from '../../../src/engine/workshop.ts'
import { architectureOf } from '../../../src/models/architectures.ts'
import { initialWeights } from '../../../src/models/weights.ts'

const model = 'postcode-cnn'
const victim = { model, seed: 5 }
const probes = Array.from({ length: 40 }, (_, i) => i)
let workshop: Workshop
beforeAll(async () => {
  workshop = createWorkshop({ role: 'engine', fetchBytes: readStatic, emit: () => undefined })
  await workshop.start('wasm')
  // A victim that nobody has trained answers as well as any, and at once.
  await workshop.adopt(model, victim.seed, initialWeights(architectureOf(model), 5))
  await workshop.model(model, victim.seed)
  await workshop.model('digits-cnn')
})
const context = (signal = new AbortController().signal) => ({ signal, progress: () => undefined })
const curve = (part: object = {}) => ({
  victim,
  copy: model,
  pictures: { dataset: 'fashion4k', split: 'train' as const, ids: Array.from({ length: 128 }, (_, i) => i) },
  answers: [],
  counts: [32, 128],
  steps: 12,
  learningRate: 0.01,
  probes: { dataset: 'mnist10k', split: 'test' as const, ids: probes },
  honest: 'digits-cnn',
  seed: 3,
  ...part,
})

test('a copy for each number of rows, beside a model that nobody stole; the same seed steals the same', async () => {
  const before = tf.memory().numTensors
  const first = await cloneCurve.run(curve(), context(), workshop)
  expect(first.points.map(({ queries }) => queries)).toEqual([32, 128])
  for (const { agreement } of first.points) expect(agreement).toBeGreaterThanOrEqual(0)
  expect(first.honest).toBeLessThan(0.5)
  expect(first.weights.map(({ name }) => name)).toContain('dense/kernel')
  expect(await cloneCurve.run(curve(), context(), workshop)).toEqual(first)
  expect(tf.memory().numTensors).toBe(before)
})

test('noise needs no pictures, a pool that is too small ends a theft, answers are told as they are asked for', async () => {
  const noise = await cloneCurve.run(curve({ pictures: 'noise', counts: [16] }), context(), workshop)
  expect(noise.points).toHaveLength(1)
  const short = await cloneCurve.run(curve({ counts: [500] }), context(), workshop)
  expect(short.points[0]!.queries).toBe(128)
  const exact = await cloneCurve.run(curve({ counts: [64] }), context(), workshop)
  const classes = await cloneCurve.run(
    curve({ counts: [64], answers: [{ id: 'top-one', tell: 'label' }] }),
    context(),
    workshop,
  )
  expect(classes.weights).not.toEqual(exact.weights)
})

test('a theft that is stopped leaves nothing behind', async () => {
  const before = tf.memory().numTensors
  await expect(cloneCurve.run(curve(), context(AbortSignal.abort()), workshop)).rejects.toMatchObject({
    code: 'cancelled',
  })
  expect(tf.memory().numTensors).toBe(before)
})

test('three readers on the same pictures, plain and changed on the copy within ε', async () => {
  const before = tf.memory().numTensors
  const { weights } = await workshop.weights(model, victim.seed)
  const images = { dataset: 'mnist10k', split: 'test' as const, ids: [7, 9, 11] }
  const found = await compareCopy.run(
    { victim, copy: { model, weights }, images, probes, epsilon: 0.1, honest: 'digits-cnn' },
    context(),
    workshop,
  )
  const { test: split } = await workshop.dataset('mnist10k')
  expect(found.shape).toEqual([3, 28, 28, 1])
  expect(found.labels).toEqual(images.ids.map((id) => split.labels[id]))
  // The copy is the victim here, so both say the same wherever they are asked.
  expect(found.agreement).toBe(1)
  expect(found.after.copy).toEqual(found.after.victim)
  const moved = found.attacked.map((pixel, i) => Math.abs(pixel - found.pixels[i]!))
  expect(Math.max(...moved)).toBeGreaterThan(0.05)
  expect(Math.max(...moved)).toBeLessThanOrEqual(0.1 + 1e-6)
  expect(tf.memory().numTensors).toBe(before)
})
