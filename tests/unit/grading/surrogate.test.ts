import { beforeAll, expect, test } from 'vitest'
import { axisQuestions } from '../../../src/attacks/extraction/equation-solving.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import {
  borderThief,
  equationThief,
  fitEquations,
  fitLabels,
  roundedAnswers,
} from '../../../src/grading/linear-thief.ts'
import {
  agreement,
  isSame,
  logisticOf,
  oneSided,
  randomProbes,
  weightError,
} from '../../../src/grading/surrogate.ts'
import { createRng } from '../../../src/core/rng.ts'
import type { LogisticModel } from '../../../src/models/logistic.ts'

const rng = createRng(3, 'victim')
const victim: LogisticModel = {
  weights: Array.from({ length: 30 }, () => Math.fround(0.6 * rng.normal())),
  bias: -0.5,
}
const probes = randomProbes(4000, 30, 5)

const axes = (round: number, scale = 1) =>
  axisQuestions(new Float64Array(30), [-Infinity, Infinity], scale, round, createRng(4, 'axes'))

beforeAll(() => startBackend('cpu', readStatic))

test('31 exact answers give every weight; 30 do not settle the last', () => {
  const ask = roundedAnswers(victim, 0)
  const questions = axes(0)
  expect(weightError(fitEquations(questions, ask(questions)), victim)).toBeLessThan(1e-5)
  const fewer = questions.slice(0, 30)
  expect(weightError(fitEquations(fewer, ask(fewer)), victim)).toBeGreaterThan(0.05)
})

test('fewer rows than unknowns, and rows far out, give some copy and never an error', () => {
  const far = randomProbes(62, 30, 4).map((x) => x.map((value) => 12 * value))
  for (const step of [0, 0.01, 0.1])
    for (const rows of [1, 2, 16, 30, 31, 62]) {
      const some = far.slice(0, rows)
      const copy = fitEquations(some, roundedAnswers(victim, step)(some))
      expect(copy.weights.every(Number.isFinite)).toBe(true)
    }
  for (const rows of [1, 2, 62]) {
    const some = far.slice(0, rows)
    expect(fitLabels(some, roundedAnswers(victim, 1)(some)).weights.every(Number.isFinite)).toBe(true)
  }
})

test('two digits cost digits, one digit costs more, and repeating at other lengths brings them back', async () => {
  const questions = axes(0, 2)
  const error = (step: number) =>
    weightError(fitEquations(questions, roundedAnswers(victim, step)(questions)), victim)
  expect(error(0.01)).toBeLessThan(0.1)
  expect(error(0.1)).toBeGreaterThan(error(0.01))
  const done = (copy: LogisticModel) => agreement(copy, victim, probes) > 0.97
  const stolen = await equationThief(victim, { step: 0.1, seed: 1, maxRows: 620, done })
  expect(stolen!.rows).toBeGreaterThan(31)
  expect(await equationThief(victim, { step: 0.1, seed: 1, maxRows: 30, done })).toBeUndefined()
})

test('the border gives a copy from labels alone, which labels of random points do not', async () => {
  const { model, rows } = await borderThief(victim, { maxQueries: 505, halvings: 10, seed: 2 })
  expect(rows).toBeLessThanOrEqual(505)
  expect(agreement(model, victim, probes)).toBeGreaterThan(0.993)
  const passive = randomProbes(rows, 30, 9)
  const labels = roundedAnswers(victim, 1)(passive)
  expect(agreement(fitLabels(passive, labels), victim, probes)).toBeLessThan(0.993)
})

test('a victim with one answer for everybody ends the walk with a constant copy, and no endless search', async () => {
  const constant = { weights: new Array<number>(30).fill(0), bias: -2 }
  const { model, rows } = await borderThief(constant, { maxQueries: 60, halvings: 5, seed: 1 })
  expect(rows).toBeLessThanOrEqual(60)
  expect(oneSided(model, probes)).toBe(1)
})

test('a copy of a copy: the same to the last bit is told from the nearly same', () => {
  expect(isSame(victim, { ...victim, weights: [...victim.weights] })).toBe(true)
  const near = { ...victim, weights: victim.weights.map((w, i) => (i === 7 ? w + 1e-6 : w)) }
  expect(isSame(near, victim)).toBe(false)
  expect(agreement(near, victim, probes)).toBeGreaterThan(0.999)
})

test('reads a handed-in model, and no other artefact', () => {
  const tensors = [
    { name: 'weights', shape: [2], values: Float32Array.of(1, 2) },
    { name: 'bias', shape: [1], values: Float32Array.of(3) },
  ]
  expect(logisticOf({ kind: 'model-weights', model: 'surrogate', tensors })).toEqual({
    weights: [1, 2],
    bias: 3,
  })
  expect(() => logisticOf({ kind: 'answer', choices: {} })).toThrow(/got answer/)
})
