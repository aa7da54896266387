import { beforeAll, beforeEach, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { defineLab, type LabGrader, type Task } from '../../../src/grading/grader.ts'
import {
  forgetMeasurements,
  gradeArtefact,
  taskOf,
  type GradeRequest,
  type RefereeTools,
} from '../../../src/grading/referee.ts'
import { atLeast, atMost, conclude } from '../../../src/grading/rows.ts'
import type { EvidenceRow } from '../../../src/grading/verdict.ts'
import type { Architecture, Weight } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { toyData, toyTask } from './toy.ts'

const architecture: Architecture = {
  name: 'toy',
  inputShape: [1, 2, 1],
  numClasses: 2,
  bounds: [0, 1],
  classes: ['left', 'right'],
  layers: [{ type: 'flatten' }, { type: 'dense', units: 2 }],
}
const weights = (first: number): Weight[] => [
  { name: 'dense/kernel', shape: [2, 2], values: Float32Array.of(first, 0, 0, 1) },
  { name: 'dense/bias', shape: [2], values: new Float32Array(2) },
]
const repaired = (first: number) => ({ kind: 'model-weights', model: 'toy', tensors: weights(first) })
const changed = { kind: 'adversarial-examples', ids: [0], shape: [1, 1, 2, 1], pixels: Float32Array.of(0, 1) }

/** What the grader did, in order. */
let done: string[] = []
let failures = 0
let measureWrongly = false
/** A row of the repaired model's verdict that only a ledger can tell, and one that anybody can. */
let claims: EvidenceRow[] = []

const task = (): Task => toyTask([0])

const lab = defineLab<Record<string, never>>({
  variant: () => ({}),
  checkpoints: {
    repaired: {
      accepts: 'model-weights',
      task,
      async grade() {
        done.push('verdict')
        return conclude({
          headline: 'weights',
          rows: [atLeast(0, { id: 'any', name: 'Any', measured: 1 }), ...claims],
        })
      },
    },
    again: {
      accepts: 'adversarial-examples',
      async task(_, trusted) {
        await trusted.modelFrom('repaired')
        done.push('task')
        return { ...task(), victim: { model: 'toy', weightsFrom: 'repaired' } }
      },
      async grade({ trusted }) {
        const model = await trusted.modelFrom('repaired')
        const first = await trusted.once('first weight', async () => {
          done.push('measured')
          if (failures-- > 0) throw new Error('the backend went away')
          return (await model.weights())[0]!.values[0]!
        })
        return conclude({
          headline: `${first}`,
          rows: [atLeast(0, { id: 'first', name: 'First weight', measured: first })],
        })
      },
    },
    careless: {
      accepts: 'adversarial-examples',
      task,
      async grade({ trusted }) {
        if (!measureWrongly) await trusted.modelFrom('repaired')
        const first = await trusted.once('first weight', async () => {
          const model = await trusted.modelFrom('repaired')
          return (await model.weights())[0]!.values[0]!
        })
        return conclude({ headline: `${first}`, rows: [] })
      },
    },
  },
}) as LabGrader

let tools: RefereeTools
beforeAll(() => startBackend('cpu', readStatic).then(() => undefined))
beforeEach(() => {
  ;[done, failures, measureWrongly, claims] = [[], 0, false, []]
  const model = createModel(architecture, weights(1))
  const dataset = toyData([[1, 0]], [0])
  tools = {
    model: async () => model,
    dataset: async () => dataset,
    modelWithWeights: async (_, own) => createModel(architecture, own),
  }
})

const grade = (first: number, request: Partial<GradeRequest> = {}) =>
  gradeArtefact(
    lab,
    { checkpoint: 'again', seed: 5, artefact: changed, earlier: { repaired: repaired(first) }, ...request },
    tools,
  )

test('an earlier model stands without its ledger, by the rows that need none', async () => {
  claims = [atMost(5, { id: 'asked', name: 'Asked', measured: NaN, claimed: true, hard: true })]
  expect((await grade(2)).headline).toBe('2')
  expect((await grade(2)).status).toBe('passed')
  expect(done.filter((what) => what === 'verdict')).toHaveLength(1)
  claims = [...claims, atLeast(5, { id: 'right', name: 'Right', measured: 1 })]
  expect(await grade(3)).toMatchObject({
    status: 'rejected',
    headline: expect.stringMatching(/has not passed/) as string,
  })
  claims = [atLeast(5, { id: 'right', name: 'Right', measured: NaN })]
  expect((await grade(4)).status).toBe('unavailable')
})

test('a second hand-in finds the measurement, the task and the earlier verdict of the first', async () => {
  expect((await grade(2)).headline).toBe('2')
  expect(done).toEqual(['verdict', 'task', 'measured'])
  expect((await grade(2)).headline).toBe('2')
  expect(done).toEqual(['verdict', 'task', 'measured'])
})

test('another earlier model is measured anew, and so is another seed', async () => {
  expect((await grade(2)).headline).toBe('2')
  expect((await grade(3)).headline).toBe('3')
  expect(done.filter((what) => what === 'measured')).toHaveLength(2)
  expect((await grade(3, { seed: 6 })).headline).toBe('3')
  expect(done.filter((what) => what === 'measured')).toHaveLength(3)
  expect(done.filter((what) => what === 'task')).toHaveLength(3)
})

test('a model that was just judged is not judged again as the victim of the next step', async () => {
  await gradeArtefact(lab, { checkpoint: 'repaired', seed: 5, artefact: repaired(2) }, tools)
  await grade(2)
  expect(done).toEqual(['verdict', 'task', 'measured'])
})

test('a measurement that failed is made again', async () => {
  failures = 1
  expect(await grade(2)).toMatchObject({ status: 'unavailable' })
  expect((await grade(2)).headline).toBe('2')
})

test('a measurement that loads an earlier model by itself is refused: it would be kept for the wrong one', async () => {
  measureWrongly = true
  const verdict = await grade(2, { checkpoint: 'careless' })
  expect(verdict.status).toBe('unavailable')
  expect(JSON.stringify(verdict)).toContain('call modelFrom before once')
  measureWrongly = false
  expect((await grade(2, { checkpoint: 'careless' })).headline).toBe('2')
})

test('what was forgotten is made anew; that the earlier model passed is still known', async () => {
  await grade(2)
  forgetMeasurements(tools, lab)
  done = []
  expect((await grade(2)).headline).toBe('2')
  expect(done).toEqual(['task', 'measured'])
})

test('a task that was drawn for one earlier model is not given for another', async () => {
  const request = { checkpoint: 'again', seed: 5 }
  await taskOf(lab, { ...request, earlier: { repaired: repaired(2) } }, tools)
  await taskOf(lab, { ...request, earlier: { repaired: repaired(3) } }, tools)
  await taskOf(lab, { ...request, earlier: { repaired: repaired(3) } }, tools)
  expect(done).toEqual(['verdict', 'task', 'verdict', 'task'])
  await expect(taskOf(lab, { ...request, earlier: {} }, tools)).rejects.toThrow(
    'nothing is handed in there yet',
  )
})
