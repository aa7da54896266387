import { beforeAll, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { method as trainDefence } from '../../../src/engine/methods/train-defence.ts'
import { createWorkshop, type Workshop } from '../../../src/engine/workshop.ts'
import type { Artefact } from '../../../src/grading/artefact.ts'
import { gradeArtefact, taskOf } from '../../../src/grading/referee.ts'
import { loadGrader } from '../../../src/labs/graders.ts'
import type { Weight } from '../../../src/models/model.ts'

let workshop: Workshop
beforeAll(async () => {
  workshop = createWorkshop({ role: 'referee', fetchBytes: readStatic, emit: () => undefined })
  await workshop.start('wasm')
})

/** The shipped reader with some of its weights, told by their place, multiplied: every digit is read as before. */
const scaled = async (factors: (count: number) => Record<number, number>) =>
  scale(await (await workshop.model('digits-cnn')).weights(), factors)

function scale(weights: readonly Weight[], factors: (count: number) => Record<number, number>): Artefact {
  const by = factors(weights.length)
  const tensors = weights.map((weight, i) => ({
    ...weight,
    values: weight.values.map((value) => Math.fround(value * (by[i] ?? 1))),
  }))
  return { kind: 'model-weights', model: 'digits-cnn', tensors }
}

const grade = async (artefact: unknown) =>
  gradeArtefact(
    await loadGrader('evasion-minimum-norm'),
    { checkpoint: 'farther', seed: 1, artefact },
    workshop,
  )

test.each<[string, (count: number) => Record<number, number>]>([
  ['scores a thousand times as large', (count) => ({ [count - 2]: 1e3, [count - 1]: 1e3 })],
  ['scores too small for the square of a slope', (count) => ({ [count - 2]: 1e-30, [count - 1]: 1e-30 })],
  ['slopes that overflow on their way back', () => ({ 0: 2 ** -124, 1: 2 ** -124, 2: 2 ** 124 })],
])('%s hide no border: it is found where it was', async (_, factors) => {
  const verdict = await grade(await scaled(factors))
  expect(verdict).toMatchObject({ status: 'failed', finding: { id: 'not-farther' } })
  expect(verdict.rows.find(({ id }) => id === 'clean')).toMatchObject({ satisfied: true })
  expect(verdict.rows.find(({ id }) => id === 'farther')).toMatchObject({ satisfied: false })
})

test('a reader that answers the same whatever it sees has no border, and is told what it lost', async () => {
  const verdict = await grade(await scaled((count) => ({ [count - 2]: 0 })))
  expect(verdict).toMatchObject({ status: 'failed', finding: { id: 'clean-lost' } })
})

test('an attack that finds no slope on scores blown up by the learner’s own repair is told why', async () => {
  const { weights } = await trainDefence.run(
    {
      model: 'digits-cnn',
      dataset: 'mnist10k',
      recipe: 'fast-training',
      options: { epsilon: 0.2 },
      epochs: 1,
      seed: 1,
      readings: 0,
    },
    { signal: new AbortController().signal, progress: () => undefined },
    workshop,
  )
  const grader = await loadGrader('evasion-minimum-norm')
  const earlier = { farther: scale(weights, (count) => ({ [count - 2]: 1e3, [count - 1]: 1e3 })) }
  const { ids, dataset, split } = await taskOf(grader, { checkpoint: 'again', seed: 1, earlier }, workshop)
  const data = await workshop.dataset(dataset)
  const artefact = {
    kind: 'adversarial-examples',
    ids,
    shape: [ids.length, ...data.shape],
    pixels: data[split].pixels(ids),
  }
  expect(
    await gradeArtefact(grader, { checkpoint: 'again', seed: 1, artefact, earlier }, workshop),
  ).toMatchObject({
    status: 'failed',
    finding: { id: 'masked-gradient' },
  })
})
