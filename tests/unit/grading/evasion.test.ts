import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import { attackImages, rightUnderAttack } from '../../../src/grading/attacked.ts'
import {
  measureExamples,
  medianChange,
  medianRow,
  normRow,
  queriesRow,
} from '../../../src/grading/evasion.ts'
import { conclude } from '../../../src/grading/rows.ts'
import type { Model } from '../../../src/models/model.ts'
import { linearModel } from '../attacks/linear.ts'
import { toyData, toyTask } from './toy.ts'

// Read as the larger coordinate: 0, 0, 1; the border is x₀ = x₁.
const rows = [
  [0.8, 0.2],
  [0.6, 0.5],
  [0.1, 0.9],
]
const labels = [0, 0, 1]

describe('measuring hand-ins', () => {
  let model: Model
  let before = 0
  beforeAll(async () => {
    await startBackend('cpu', readStatic)
    model = linearModel(2, 2, [1, 0, 0, 1])
  })
  afterAll(() => model.dispose())
  beforeEach(() => void (before = tf.memory().numTensors))
  afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

  const measure = (
    handIn: number[][],
    more: { norm?: 'linf' | 'l2'; target?: number; limit?: number } = {},
  ) =>
    measureExamples({
      task: toyTask(labels),
      examples: {
        kind: 'adversarial-examples',
        ids: [0, 1, 2],
        shape: [3, 2],
        pixels: Float32Array.from(handIn.flat()),
      },
      model,
      dataset: toyData(rows, labels),
      limit: more.limit ?? 0.5,
      ...more,
    })

  test('the gallery and the hard row use the norm of the budget', async () => {
    const measured = await measure(
      [
        [0.5, 0.6], // (−0.3, 0.4): 0.5 long, misread
        [0.6, 0.5],
        [0.1, 0.9],
      ],
      { norm: 'l2' },
    )
    expect(measured.hits).toBe(1)
    expect(measured.gallery[0]).toMatchObject({ measuredIn: 'l2', limit: 0.5, success: true })
    expect(measured.gallery[0]!.norm).toBeCloseTo(0.5, 6)
    expect(normRow(measured)).toMatchObject({ id: 'l2', satisfied: true, hard: true })
    expect(normRow(measured, 'l2', 0.49)).toMatchObject({ satisfied: false })
    expect(normRow(measured, 'linf').measured).toBeCloseTo(0.4, 6)
  })

  test('with a target only that class counts', async () => {
    const handIn = [
      [0.2, 0.3],
      [0.6, 0.5],
      [0.1, 0.9],
    ]
    expect((await measure(handIn)).success).toEqual([true, false, false])
    expect((await measure(handIn, { target: 1 })).success).toEqual([true, false, true])
  })

  test('failures are infinite in the median, so a few easy successes do not make it small', async () => {
    const oneOfThree = await measure([
      [0.8, 0.2],
      [0.6, 0.65],
      [0.1, 0.9],
    ])
    expect(medianChange(oneOfThree, 'linf')).toBe(Infinity)
    const row = medianRow(oneOfThree, 'linf', 0.3)
    expect(row).toMatchObject({ satisfied: false, status: 'failed', measured: row.scaleMax })
    expect(conclude({ headline: '', rows: [row] }).status).toBe('failed')
    const twoOfThree = await measure([
      [0.8, 0.2],
      [0.6, 0.7],
      [0.5, 0.1],
    ])
    expect(medianChange(twoOfThree, 'linf')).toBeCloseTo(0.8, 6)
    expect(medianRow(twoOfThree, 'linf', 0.9).satisfied).toBe(true)
  })

  test('queries are the ledger’s, and without a ledger they are not measured', () => {
    const ledger = { rows: { scores: 900, decisions: 100 }, calls: 10, refused: 0, transcriptDigest: '' }
    expect(queriesRow(ledger, 1000)).toMatchObject({ satisfied: true, measured: 1000, claimed: true })
    expect(queriesRow(ledger, 999)).toMatchObject({ satisfied: false, status: 'failed' })
    expect(queriesRow(undefined, 1000).status).toBe('unavailable')
  })

  test('the referee attacks by itself: towards the border, and a misread image is not attacked', async () => {
    const options = { epsilon: 0.1, norm: 'linf', steps: 5, stepSize: 0.05, randomStart: false, restarts: 0 }
    const data = toyData([...rows, [0.4, 0.6]], [...labels, 0])
    const task = toyTask([...labels, 0])
    // The last is misread as it is; of the others, 0.1 each way crosses the border of the second alone.
    const attack = { attack: 'pgd', options, seed: 1 }
    expect(await rightUnderAttack(model, task, data, attack)).toEqual({ clean: 3, right: 2 })
    const pixels = data.test.pixels([0, 1, 2])
    const attacked = await attackImages(model, { pixels, labels }, attack)
    expect(attacked.success).toEqual([false, true, false])
    expect(attacked.hits).toBe(1)
    expect(attacked.trace).toHaveLength(5)
    expect(attacked.pixels[2]).toBeCloseTo(0.5, 6)
    const towards = await attackImages(model, { pixels, labels }, { ...attack, targets: [1, 1, 1] })
    expect(towards.success).toEqual([false, true, true])
  })

  test('refuses an attack that does not exist', async () => {
    await expect(
      attackImages(
        model,
        { pixels: Float32Array.of(0, 1), labels: [1] },
        { attack: 'pdg', options: {}, seed: 0 },
      ),
    ).rejects.toThrow(/no attack "pdg"/)
  })
})
