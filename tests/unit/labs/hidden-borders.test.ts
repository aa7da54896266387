import { beforeAll, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { createWorkshop, type Workshop } from '../../../src/engine/workshop.ts'
import { gradeArtefact } from '../../../src/grading/referee.ts'
import { loadGrader } from '../../../src/labs/graders.ts'

let workshop: Workshop
beforeAll(async () => {
  workshop = createWorkshop({ role: 'referee', fetchBytes: readStatic, emit: () => undefined })
  await workshop.start('wasm')
})

/** The shipped reader with some of its weights, told by their place, multiplied: every digit is read as before. */
async function scaled(factors: (count: number) => Record<number, number>) {
  const weights = await (await workshop.model('digits-cnn')).weights()
  const by = factors(weights.length)
  const tensors = weights.map((weight, i) => ({
    ...weight,
    values: weight.values.map((value) => Math.fround(value * (by[i] ?? 1))),
  }))
  return { kind: 'model-weights', model: 'digits-cnn', tensors }
}

test.each<[string, (count: number) => Record<number, number>, string]>([
  [
    'scores a thousand times as large hide nothing: the borders are where they were',
    (count) => ({ [count - 2]: 1e3, [count - 1]: 1e3 }),
    'not-farther',
  ],
  [
    'slopes that overflow on their way back are told as hidden borders, not as far ones',
    () => ({ 0: 2 ** -124, 1: 2 ** -124, 2: 2 ** 124 }),
    'not-reached',
  ],
])('%s', async (_, factors, finding) => {
  const verdict = await gradeArtefact(
    await loadGrader('evasion-minimum-norm'),
    { checkpoint: 'farther', seed: 1, artefact: await scaled(factors) },
    workshop,
  )
  expect(verdict).toMatchObject({ status: 'failed', finding: { id: finding } })
  expect(verdict.rows.find(({ id }) => id === 'clean')).toMatchObject({ satisfied: true })
  expect(verdict.rows.find(({ id }) => id === 'farther')).toMatchObject({ satisfied: false })
})
