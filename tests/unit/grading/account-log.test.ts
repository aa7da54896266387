import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import {
  accountLog,
  arrivals,
  noted,
  questionsOf,
  seedPictures,
  stockOwn,
  type AccountKind,
  type LogMeans,
} from '../../../src/grading/account-log.ts'
import { loadModel } from '../../../src/models/load.ts'

let means: LogMeans
beforeAll(async () => {
  await startBackend('wasm', readStatic)
  means = {
    model: await loadModel('digits-cnn', readStatic),
    data: await loadDataSet('mnist10k', readStatic),
    foreign: await loadDataSet('fashion4k', readStatic),
  }
})
let before = 0
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

const apart = (a: Float32Array, b: Float32Array) =>
  Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0))
const nearest = (questions: readonly Float32Array[], i: number) =>
  Math.min(...questions.slice(0, i).map((earlier) => apart(questions[i]!, earlier)))

describe('what an account asks', () => {
  const kinds: AccountKind[] = [
    'customer',
    'skewed',
    'natural',
    'foreign',
    'jacobian',
    'diluted',
    'noise',
    'probes',
  ]
  test.each(kinds)(
    '%s: as many pictures as wanted, legal ones, and the same for the same seed',
    async (kind) => {
      const questions = await questionsOf({ kind, seed: 5 }, 80, means)
      expect(questions).toHaveLength(80)
      for (const one of questions) {
        expect(one).toHaveLength(784)
        expect(one.every((value) => value >= 0 && value <= 1)).toBe(true)
      }
      expect(await questionsOf({ kind, seed: 5 }, 80, means)).toEqual(questions)
      expect(await questionsOf({ kind, seed: 6 }, 80, means)).not.toEqual(questions)
    },
  )

  test('a customer with three digits has three digits', async () => {
    const { test: split } = means.data
    const questions = await questionsOf({ kind: 'skewed', seed: 2 }, 60, means)
    const labelOf = new Map(
      Array.from({ length: split.count }, (_, id) => [split.pixels([id]).join(), split.labels[id]]),
    )
    expect(new Set(questions.map((one) => labelOf.get(one.join()))).size).toBe(3)
  })

  test('the augmentation begins with its own pictures, and then pushes each by one step', async () => {
    const questions = await questionsOf({ kind: 'jacobian', seed: 1 }, 2 * seedPictures, means)
    const first = Math.min(...Array.from({ length: seedPictures - 1 }, (_, i) => nearest(questions, i + 1)))
    for (let i = seedPictures; i < 2 * seedPictures; i++) {
      const step = apart(questions[i]!, questions[i - seedPictures]!)
      expect(step).toBeGreaterThan(0.5)
      expect(step).toBeLessThan(0.1 * 28 + 1e-6)
      expect(step).toBeLessThan(first)
    }
  })

  test('diluted is the augmentation with a customer’s picture after each question', async () => {
    const questions = await questionsOf({ kind: 'diluted', seed: 1 }, 4 * seedPictures, means)
    const pushed = questions.filter((_, i) => i % 2 === 0 && i >= 2 * seedPictures)
    for (const one of pushed)
      expect(
        Math.min(...questions.filter((other) => other !== one).map((other) => apart(one, other))),
      ).toBeLessThan(2.9)
    expect(nearest(questions, 4 * seedPictures - 1)).toBeGreaterThan(2.9)
  })

  test('a stock holds families of four, shuffled, before its cover', async () => {
    const questions = await questionsOf({ kind: 'stock', seed: 1 }, stockOwn + 10, means)
    expect(questions).toHaveLength(stockOwn + 10)
    const related = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => nearest(questions, from + i)).filter((d) => d < 2.9)
        .length /
      (to - from)
    // In order the first quarter would have no relative before it, and every other question one.
    expect(related(1, 60)).toBeLessThan(0.3)
    expect(related(200, 250)).toBeGreaterThan(0.2)
    expect(related(stockOwn - 60, stockOwn)).toBeGreaterThan(0.9)
    expect(nearest(questions, stockOwn + 5)).toBeGreaterThan(2.9)
  })

  test('asking for more pictures than there are says how many there are', async () => {
    await expect(questionsOf({ kind: 'customer', seed: 1 }, 3000, means)).rejects.toThrow(
      'account-log: 3000 pictures are needed; there are 2000',
    )
  })
})

describe('what the provider notes', () => {
  test('answers and confidences are the model’s, and distances those between the questions', async () => {
    const questions = await questionsOf({ kind: 'customer', seed: 3 }, 40, means)
    const { answers, confidences, distances } = await noted(means.model, questions)
    const x = tf.tensor(Float32Array.from(questions.flatMap((one) => [...one])), [40, 28, 28, 1])
    expect(Array.from(answers)).toEqual(Array.from(await means.model.predict(x)))
    x.dispose()
    expect(confidences.every((sure) => sure > 0.1 && sure <= 1)).toBe(true)
    for (const [i, j] of [
      [1, 0],
      [17, 4],
      [39, 38],
    ] as const)
      expect(distances[i * 40 + j]).toBeCloseTo(apart(questions[i]!, questions[j]!), 3)
  })

  test('distances far smaller than the pictures are still right', async () => {
    const questions = await questionsOf({ kind: 'probes', seed: 3 }, 60, means)
    const { distances } = await noted(means.model, questions)
    expect(distances[59 * 60 + 58]).toBeCloseTo(apart(questions[59]!, questions[58]!), 2)
  })

  test('a log is made once for a model', async () => {
    const spec = { kind: 'customer', seed: 9 } as const
    expect(await accountLog(spec, 30, means)).toBe(await accountLog(spec, 30, means))
    expect(await accountLog({ ...spec, seed: 10 }, 30, means)).not.toBe(await accountLog(spec, 30, means))
  })
})

test('accounts ask in bursts, forwards, and with nights between', () => {
  const times = arrivals({ seed: 4 }, 500)
  expect(times[0]).toBe(0)
  const gaps = Array.from(times.subarray(1), (time, i) => time - times[i]!)
  expect(gaps.every((gap) => gap >= 0)).toBe(true)
  expect(gaps.filter((gap) => gap < 10).length).toBeGreaterThan(300)
  expect(gaps.some((gap) => gap > 8 * 3600)).toBe(true)
  expect(arrivals({ seed: 4 }, 500)).toEqual(times)
  expect(arrivals({ seed: 5 }, 500)).not.toEqual(times)
})
