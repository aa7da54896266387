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

/** The shipped reader with all scores multiplied: every digit is read as before. */
async function scaled(factor: number) {
  const weights = await (await workshop.model('digits-cnn')).weights()
  const tensors = weights.map((weight, i) =>
    i < weights.length - 2
      ? weight
      : { ...weight, values: weight.values.map((value) => Math.fround(value * factor)) },
  )
  return { kind: 'model-weights', model: 'digits-cnn', tensors }
}

const grade = async (factor: number) =>
  gradeArtefact(
    await loadGrader('evasion-minimum-norm'),
    { checkpoint: 'farther', seed: 1, artefact: await scaled(factor) },
    workshop,
  )

test.each([
  ['a thousandfold hide nothing: the borders are where they were', 1e3, 'not-farther'],
  ['down until no slope is left are told as hidden borders, not as far ones', 1e-30, 'not-reached'],
])('scores scaled %s', async (_, factor, finding) => {
  const verdict = await grade(factor)
  expect(verdict).toMatchObject({ status: 'failed', finding: { id: finding } })
  expect(verdict.rows.find(({ id }) => id === 'clean')).toMatchObject({ satisfied: true })
  expect(verdict.rows.find(({ id }) => id === 'farther')).toMatchObject({ satisfied: false })
})
