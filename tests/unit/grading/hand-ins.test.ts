import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import type { Artefact } from '../../../src/grading/artefact.ts'
import { defineLab, type LabGrader, type Task } from '../../../src/grading/grader.ts'
import { gradeArtefact, taskOf, type RefereeTools } from '../../../src/grading/referee.ts'
import { conclude } from '../../../src/grading/rows.ts'
import type { Model } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { linearModel } from '../attacks/linear.ts'
import { toyData } from './toy.ts'

/** What the last grader was given: the referee's copy of the hand-in. */
let seen: Artefact | undefined
const dataset = toyData(
  [
    [0.6, 0.4],
    [0.2, 0.9],
    [0.7, 0.1],
  ],
  [0, 1, 0],
)
const task = (own: Partial<Task> = {}): Task => ({
  victim: { model: 'linear' },
  dataset: 'toy',
  split: 'test',
  ids: [2, 0],
  labels: [0, 0],
  values: {},
  ...own,
})
const lab = (() => {
  const checkpoint = (accepts: Artefact['kind'], own: Partial<Task> = {}) => ({
    accepts,
    task: () => task(own),
    async grade({ artefact }: { artefact: Artefact }) {
      seen = artefact
      return conclude({ headline: 'looked at', rows: [] })
    },
  })
  return defineLab<Record<string, never>>({
    variant: () => ({}),
    checkpoints: {
      images: checkpoint('adversarial-examples'),
      // One sticker of 3 × 3, whatever the images are.
      sticker: checkpoint('adversarial-examples', { handIn: { ids: [7], shape: [3, 3, 1] } }),
      weights: checkpoint('model-weights'),
      scores: checkpoint('scores', { columns: ['class', 'radius'] }),
      bare: checkpoint('scores'),
      answer: checkpoint('answer'),
    },
  }) as LabGrader
})()

let model: Model
let tools: RefereeTools
beforeAll(async () => {
  await startBackend('cpu', readStatic)
  model = linearModel(2, 2, [1, 0, 0, 1])
  tools = {
    model: async () => model,
    dataset: async () => dataset,
    modelWithWeights: async (_, weights) => createModel(model.architecture, weights),
  }
})
afterAll(() => model.dispose())

const grade = (checkpoint: string, artefact: unknown) => {
  seen = undefined
  return gradeArtefact(lab, { checkpoint, seed: 1, artefact }, tools)
}

const images = () => ({
  kind: 'adversarial-examples',
  ids: [2, 0],
  shape: [2, 2],
  pixels: Float32Array.of(0.1, 0.2, 0.3, 0.4),
})
const sticker = () => ({
  kind: 'adversarial-examples',
  ids: [7],
  shape: [1, 3, 3, 1],
  pixels: new Float32Array(9).fill(0.5),
})
const weights = () => ({
  kind: 'model-weights',
  model: 'linear',
  tensors: [
    { name: 'dense/kernel', shape: [2, 2], values: Float32Array.of(2, 0, 0, 2) },
    { name: 'dense/bias', shape: [2], values: Float32Array.of(0.5, 0) },
  ],
})
const scores = () => ({
  kind: 'scores',
  ids: [2, 0],
  columns: [
    { name: 'class', values: Float32Array.of(0, -1) },
    { name: 'radius', values: Float32Array.of(0.25, 0) },
  ],
})
const answer = () => ({ kind: 'answer', choices: { why: ['b'] } })
const right: Record<string, () => object> = { images, sticker, weights, scores, answer }

describe('what the referee takes', () => {
  test.each(Object.keys(right))('%s: hands a copy of what is right to the grader', async (checkpoint) => {
    const given = right[checkpoint]!()
    expect(await grade(checkpoint, given)).toMatchObject({ status: 'passed', headline: 'looked at' })
    expect(seen).toEqual(given)
    expect(seen).not.toBe(given)
  })

  test.each<[string, string, object, RegExp]>([
    ['images of another kind', 'images', weights(), /takes adversarial examples; got "model-weights"/],
    ['images of other ids', 'images', { ...images(), ids: [0, 2] }, /number 1 is 0, not 2/],
    ['images of another shape', 'images', { ...images(), shape: [2, 3] }, /shape \[2,2\]; got \[2,3\]/],
    ['the images where a sticker is due', 'sticker', images(), /shape \[1,3,3,1\]; got \[2,2\]/],
    ['a sticker by the id of an image', 'sticker', { ...sticker(), ids: [2] }, /number 1 is 2, not 7/],
    ['the sticker where images are due', 'images', sticker(), /shape \[2,2\]; got \[1,3,3,1\]/],
    [
      'weights of another model',
      'weights',
      { ...weights(), model: 'other' },
      /must belong to linear; got "other"/,
    ],
    [
      'weights of another shape',
      'weights',
      { ...weights(), tensors: [{ ...weights().tensors[0]!, shape: [4] }, weights().tensors[1]!] },
      /dense\/kernel must have the shape \[2,2\]; got \[4\]/,
    ],
    [
      'a weight that is missing',
      'weights',
      { ...weights(), tensors: weights().tensors.slice(0, 1) },
      /2 weight tensors; got 1/,
    ],
    [
      'a weight that is not finite',
      'weights',
      {
        ...weights(),
        tensors: [weights().tensors[0]!, { ...weights().tensors[1]!, values: Float32Array.of(0, NaN) }],
      },
      /dense\/bias` must be finite; number 1 is NaN/,
    ],
    [
      'scores of other columns',
      'scores',
      { ...scores(), columns: [scores().columns[0]!, { name: 'reach', values: new Float32Array(2) }] },
      /columns class, radius, each once; got "reach"/,
    ],
    ['scores of other images', 'scores', { ...scores(), ids: [2, 1] }, /number 2 is 1, not 0/],
    ['a column that no task asked for', 'bare', scores(), /got 2/],
    ['an answer that is no list', 'answer', { kind: 'answer', choices: { why: 'b' } }, /short list/],
    ['nothing', 'answer', {}, /no `kind`/],
  ])('%s: rejected, and the grader never sees it', async (_, checkpoint, artefact, reason) => {
    const verdict = await grade(checkpoint, artefact)
    expect(verdict.status).toBe('rejected')
    expect(verdict.headline).toMatch(reason)
    expect(seen).toBeUndefined()
  })

  test('columns come out in the task’s order, and a task says what is due', async () => {
    const { columns } = scores()
    await grade('scores', { ...scores(), columns: [...columns].reverse() })
    expect(seen).toEqual(scores())
    const { handIn } = await taskOf(lab, { checkpoint: 'sticker', seed: 1 }, tools)
    expect(handIn).toEqual({ ids: [7], shape: [3, 3, 1] })
  })
})
