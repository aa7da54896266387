import { beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../src/cli/node-platform.ts'
import { createWorkshop, type Workshop } from '../../src/engine/workshop.ts'
import type { LabGrader } from '../../src/grading/grader.ts'
import { gradeArtefact, variantOf } from '../../src/grading/referee.ts'
import { loadGrader } from '../../src/labs/graders.ts'
import { architectureOf } from '../../src/models/architectures.ts'
import type { Weight } from '../../src/models/model.ts'
import { initialWeights } from '../../src/models/weights.ts'

const model = 'postcode-cnn'
const seed = 3
/** As if the program had asked about every garment and learned from the answers. */
const ledger = {
  rows: { scores: 3000 },
  calls: 30,
  refused: 0,
  transcriptDigest: '',
  learned: { rows: 25_600, unanswered: 0 },
}

let referee: Workshop
let grader: LabGrader
/** The weights that no program ever sees. */
let victim: Weight[]
beforeAll(async () => {
  referee = createWorkshop({ role: 'referee', fetchBytes: readStatic, emit: () => undefined })
  await referee.start('wasm')
  grader = await loadGrader('theft-knockoff')
  const variant = (await variantOf(grader, seed, referee)) as { victim: number }
  ;({ weights: victim } = await referee.weights(model, variant.victim))
})

const handIn = (tensors: Weight[]) =>
  gradeArtefact(
    grader,
    {
      checkpoint: 'knockoff',
      seed,
      earlier: {},
      ledger,
      artefact: { kind: 'model-weights', model, tensors },
    },
    referee,
  )
const rowOf = ({ rows }: Awaited<ReturnType<typeof handIn>>, id: string) => rows.find((row) => row.id === id)!

describe('what no thief may hand in', () => {
  test('the victim itself: it agrees with itself on every digit, and does not pass', async () => {
    const verdict = await handIn(victim)
    expect(rowOf(verdict, 'agreement')).toMatchObject({ measured: 100, satisfied: true })
    expect(rowOf(verdict, 'own').satisfied).toBe(false)
    expect(verdict).toMatchObject({ status: 'failed', finding: { id: 'a-file' } })
  })

  test('the app’s own reader of digits: it agrees as any honest model does, and nobody stole it', async () => {
    const { weights } = await referee.weights('digits-cnn')
    const verdict = await handIn(weights)
    expect(rowOf(verdict, 'agreement').measured).toBeGreaterThan(95)
    expect(verdict).toMatchObject({ status: 'failed', finding: { id: 'a-file' } })
  })

  test('a network that says 1 to everything, and one that has learned nothing', async () => {
    const constant = victim.map((tensor) => ({
      ...tensor,
      values:
        tensor.name === 'dense/bias'
          ? Float32Array.of(0, 9, 0, 0, 0, 0, 0, 0, 0, 0)
          : tensor.values.map(() => 0),
    }))
    for (const tensors of [constant, initialWeights(architectureOf(model), 9)]) {
      const verdict = await handIn(tensors)
      expect(rowOf(verdict, 'agreement').measured).toBeLessThan(35)
      expect(verdict).toMatchObject({ status: 'failed', finding: { id: 'nothing-learned' } })
    }
  })

  test('a table of 3,000 garments and their answers: a tensor too many, or one of another shape', async () => {
    const table = { name: 'table', shape: [3000, 794], values: new Float32Array(3000 * 794) }
    const atTheEnd = await handIn([...victim, table])
    expect(atTheEnd).toMatchObject({ status: 'rejected', headline: `${model} has 6 weight tensors; got 7.` })
    const inside = await handIn(
      victim.map((tensor) => (tensor.name === 'dense/kernel' ? { ...table, name: tensor.name } : tensor)),
    )
    expect(inside.status).toBe('rejected')
    expect(inside.headline).toMatch(/dense\/kernel must have the shape/)
  })

  test('a model of 200 MB, and one weight that is no number', async () => {
    const huge = victim.map((tensor, i) =>
      i === 0 ? { ...tensor, values: new Float32Array(50_000_000) } : tensor,
    )
    expect(await handIn(huge)).toMatchObject({ status: 'rejected' })
    const broken = victim.map((tensor) => ({ ...tensor, values: tensor.values.slice() }))
    broken[2]!.values[7] = Number.NaN
    expect(await handIn(broken)).toMatchObject({
      status: 'rejected',
      headline: `\`${broken[2]!.name}\` must be finite; number 7 is NaN.`,
    })
  })
})
