import { beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../src/cli/node-platform.ts'
import { createWorkshop, type Workshop } from '../../src/engine/workshop.ts'
import type { LedgerSummary } from '../../src/grading/artefact.ts'
import { gradeArtefact, taskOf } from '../../src/grading/referee.ts'
import { logisticVictim } from '../../src/grading/surrogate.ts'
import type { LogisticModel } from '../../src/models/logistic.ts'

let workshop: Workshop
let victim: LogisticModel
beforeAll(async () => {
  workshop = createWorkshop({ role: 'referee', fetchBytes: readStatic, emit: () => undefined })
  await workshop.start('wasm')
  const task = await taskOf(await workshop.lab('theft-equations'), { checkpoint: 'exact', seed: 1 }, workshop)
  victim = await logisticVictim(await workshop.model(task.victim.model, task.victim.seed))
})

/** The ledger of a run that asked the 31 questions of an honest thief. */
const ledger: LedgerSummary = { rows: { scores: 31 }, calls: 1, refused: 0, transcriptDigest: '0'.repeat(64) }
const handIn = async (tensors: { name: string; shape: number[]; values: Float32Array }[]) =>
  gradeArtefact(
    await workshop.lab('theft-equations'),
    {
      checkpoint: 'exact',
      seed: 1,
      ledger,
      artefact: { kind: 'model-weights', model: 'surrogate', tensors },
    },
    workshop,
  )
const tensorsOf = ({ weights, bias }: LogisticModel) => [
  { name: 'weights', shape: [30], values: Float32Array.from(weights) },
  { name: 'bias', shape: [1], values: Float32Array.of(bias) },
]

describe('what is no theft, handed in for a stolen model', () => {
  test('answers leave traces of rounding, and a copy with them passes', async () => {
    const copied = { weights: victim.weights.map((w) => w * (1 + 1e-6)), bias: victim.bias * (1 + 1e-6) }
    expect(await handIn(tensorsOf(copied))).toMatchObject({ status: 'passed' })
  })

  test('the victim’s own file is recognised, though every weight is right', async () => {
    expect(await handIn(tensorsOf(victim))).toMatchObject({
      status: 'failed',
      finding: { id: 'victims-own' },
    })
  })

  test('a model that says the same to everybody is', async () => {
    const constant = { weights: victim.weights.map(() => 0), bias: -1 }
    expect(await handIn(tensorsOf(constant))).toMatchObject({ status: 'failed', finding: { id: 'constant' } })
  })

  test.each<[string, (good: ReturnType<typeof tensorsOf>) => ReturnType<typeof tensorsOf>, RegExp]>([
    [
      'a look-up table of answers in place of weights',
      ([, bias]) => [{ name: 'weights', shape: [398, 30], values: new Float32Array(398 * 30) }, bias!],
      /weights must have the shape \[30\]/,
    ],
    [
      'a look-up table beside the weights',
      (good) => [...good, { name: 'table', shape: [398, 31], values: new Float32Array(398 * 31) }],
      /2 weight tensors; got 3/,
    ],
    [
      '200 MB of weights',
      ([, bias]) => [{ name: 'weights', shape: [30], values: new Float32Array(50e6) }, bias!],
      /weights.*may hold 16777216 numbers at most; got 50000000/,
    ],
    [
      'a weight that is no number',
      ([weights, bias]) => [
        { ...weights!, values: weights!.values.map((w, i) => (i === 3 ? NaN : w)) },
        bias!,
      ],
      /finite/,
    ],
  ])('%s is rejected in a sentence', async (_, spoil, sentence) => {
    const verdict = await handIn(spoil(tensorsOf(victim)))
    expect(verdict).toMatchObject({ status: 'rejected' })
    expect(verdict.headline).toMatch(sentence)
    // What to hand in of this kind, or where to look for a number that is none.
    expect(verdict.finding!.next).toMatch(
      /submit\(\{ weights: \{ weights, bias \} \}\)|print what it is computed from/,
    )
  })
})
