import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import {
  answeredRow,
  meanSure,
  oftenest,
  readsOf,
  sameReads,
  stealAndRead,
  weightDistance,
  withCopy,
} from '../../../src/grading/copies.ts'
import type { Artefact } from '../../../src/grading/artefact.ts'
import type { Task, Trusted } from '../../../src/grading/grader.ts'
import { architectureOf } from '../../../src/models/architectures.ts'
import type { Model, Weight } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'

const name = 'tumour-logistic'
const layers = architectureOf(name)
let victim: Model
let tensors = 0
beforeAll(async () => {
  await startBackend('cpu', readStatic)
  victim = createModel(layers, initialWeights(layers, 5))
})
afterAll(() => victim.dispose())
beforeEach(() => void (tensors = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(tensors))

const trusted = {
  modelWithWeights: async (_: string, weights: Weight[]) => createModel(layers, weights),
} as unknown as Trusted
const artefact = (weights: Weight[]): Artefact => ({ kind: 'model-weights', model: name, tensors: weights })
const points = (rows: number, seed: number) => {
  const rng = createRng(seed, 'points')
  return Float32Array.from({ length: 30 * rows }, () => Math.max(-10, Math.min(10, rng.normal())))
}
async function reads(model: Model, pixels = points(200, 1)) {
  const x = tf.tensor(pixels, [pixels.length / 30, 30])
  try {
    return await readsOf(model, x)
  } finally {
    x.dispose()
  }
}

test('reads are the top class and its probability, by hand', async () => {
  const model = createModel({ ...layers, inputShape: [1] }, [
    { name: 'dense/kernel', shape: [1, 2], values: Float32Array.of(0, 1) },
    { name: 'dense/bias', shape: [2], values: Float32Array.of(0, 0) },
  ])
  const x = tf.tensor([Math.log(3), -Math.log(9)], [2, 1])
  const { top, sure } = await readsOf(model, x)
  tf.dispose(x)
  model.dispose()
  expect([...top]).toEqual([1, 0])
  expect(sure[0]).toBeCloseTo(0.75, 6)
  expect(sure[1]).toBeCloseTo(0.9, 6)
  expect(meanSure({ top, sure })).toBeCloseTo(0.825, 6)
})

test('agreement and the oftenest answer, on paper', () => {
  const of = (...top: number[]) => ({ top: Int32Array.from(top), sure: new Float32Array(top.length) })
  expect(sameReads(of(1, 2, 3, 4), of(1, 2, 0, 0))).toBe(0.5)
  expect(oftenest(of(1, 1, 1, 7))).toBe(0.75)
  expect(oftenest(of())).toBe(0)
})

test('the referee’s thief reads as the victim does, and as a coin when it is lied to', async () => {
  const truth = await reads(victim)
  const steal = (answers: Parameters<typeof stealAndRead>[2]['answers']) =>
    stealAndRead(
      trusted,
      victim,
      {
        model: name,
        pool: points(150, 2),
        ...(answers ? { answers } : {}),
        steps: 80,
        learningRate: 0.1,
        seed: 3,
      },
      (copy) => reads(copy),
    )
  expect(sameReads(truth, await steal(undefined))).toBeGreaterThan(0.9)
  expect(sameReads(truth, await steal([{ id: 'misinformation', sure: 1 }]))).toBeLessThan(0.1)
})

test('a file is told from a copy by the last digit of its weights, and a copy of another shape is far away', () => {
  const weights = initialWeights(layers, 5)
  expect(weightDistance(artefact(weights), weights)).toBe(0)
  const moved = weights.map((weight, i) => ({
    ...weight,
    values: weight.values.map((v) => v + (i === 0 ? 0.25 : 0)),
  }))
  expect(weightDistance(artefact(moved), weights)).toBeCloseTo(0.25, 5)
  expect(weightDistance(artefact(weights.slice(1)), weights)).toBe(Infinity)
  expect(weightDistance({ kind: 'answer', choices: {} }, weights)).toBe(Infinity)
})

test('lends the copy that was handed in, and frees it', async () => {
  const task = { copy: { model: name, seed: 1 } } as Task
  const own = await withCopy({ task, artefact: artefact(initialWeights(layers, 9)), trusted }, (copy) =>
    copy.weights(),
  )
  expect(own).toEqual(initialWeights(layers, 9))
  await expect(
    withCopy({ task, artefact: { kind: 'answer', choices: {} }, trusted }, async () => 1),
  ).rejects.toThrow(/got answer/)
})

test('rows that nobody answered fail a hard row; without a ledger nothing can be said', () => {
  const ledger = { rows: {}, calls: 0, refused: 0, transcriptDigest: '' }
  expect(answeredRow({ ...ledger, learned: { rows: 640, unanswered: 0 } })).toMatchObject({
    satisfied: true,
    claimed: true,
    hard: true,
  })
  expect(answeredRow({ ...ledger, learned: { rows: 640, unanswered: 1 } }).satisfied).toBe(false)
  expect(answeredRow(undefined).status).toBe('unavailable')
})
