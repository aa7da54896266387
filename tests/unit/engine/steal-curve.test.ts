import { beforeAll, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { method as stealCurve, type StealCurveParams } from '../../../src/engine/methods/steal-curve.ts'
import { createWorkshop, type Workshop } from '../../../src/engine/workshop.ts'

let workshop: Workshop
beforeAll(async () => {
  workshop = createWorkshop({ role: 'engine', fetchBytes: readStatic, emit: () => undefined })
  await workshop.start('wasm')
})

const steal = (seed: number, part: Partial<StealCurveParams> = {}) =>
  stealCurve.run(
    {
      victim: { model: 'tumour-logistic', seed },
      dataset: 'breast-cancer',
      questions: 'unit',
      step: 0,
      maxRows: 62,
      seed,
      ...part,
    },
    { signal: new AbortController().signal, progress: () => undefined },
    workshop,
  )

test.each(Array.from({ length: 10 }, (_, i) => i + 1))(
  'exact answers to unit questions give the last weight with row 31, and not before, on seed %i',
  async (seed) => {
    const at = new Map((await steal(seed)).map((point) => [point.rows, point]))
    expect(at.get(30)!.error).toBeGreaterThan(1e-3)
    expect(at.get(31)!.error).toBeLessThan(1e-5)
    // Agreement is no such witness: a last weight near 0 hardly shows in it.
    expect(at.get(20)!.probes).toBeLessThan(0.9)
    expect(at.get(31)!.probes).toBe(1)
  },
)

test('patients tell less than unit questions, labels tell no weight; the same seed steals the same', async () => {
  const patients = (await steal(3, { questions: 'patients', step: 0.01, maxRows: 200 })).at(-1)!
  expect(patients.test).toBeGreaterThan(patients.probes)
  const labels = await steal(3, { questions: 'random', step: 1, maxRows: 124 })
  expect(labels.every(({ error }) => error === undefined)).toBe(true)
  expect(await steal(3, { questions: 'random', step: 1, maxRows: 124 })).toEqual(labels)
})
