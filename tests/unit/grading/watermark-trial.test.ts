import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import type { DataSet } from '../../../src/data/data-set.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import { createTriggerSet } from '../../../src/defences/watermark/trigger-set.ts'
import { priceAnswers } from '../../../src/grading/answer-price.ts'
import { Parties } from '../../../src/grading/parties.ts'
import { dawnTrial, markTrial, pruned, trainInnocents } from '../../../src/grading/watermark-trial.ts'

let data: DataSet
let clothes: DataSet
beforeAll(async () => {
  await startBackend('wasm', readStatic)
  data = await loadDataSet('mnist10k', readStatic)
  clothes = await loadDataSet('fashion4k', readStatic)
})
let before = 0
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

describe('owner, thief and innocents', () => {
  test('nobody’s pictures are another’s, but innocents may share', () => {
    const parties = new Parties(data, 3)
    const first = (split: { pixels(ids: number[]): Float32Array }) =>
      new Set(Array.from({ length: 300 }, (_, i) => split.pixels([i]).join()))
    const [owner, thief, innocent] = [parties.owners(), parties.thiefs(), parties.innocents(0)].map(first)
    for (const one of owner!) expect(thief!.has(one) || innocent!.has(one)).toBe(false)
    for (const one of thief!) expect(innocent!.has(one)).toBe(false)
    expect(parties.owners().count).toBe(2000)
  })

  test('pruning takes the smallest weights of a matrix, and no bias', () => {
    const weights = [
      { name: 'kernel', shape: [2, 2], values: Float32Array.of(0.1, -3, 0.2, 2) },
      { name: 'bias', shape: [2], values: Float32Array.of(0.01, 5) },
    ]
    const [kernel, bias] = pruned(weights, 0.5)
    expect(Array.from(kernel!.values)).toEqual([0, -3, 0, 2])
    expect(bias).toBe(weights[1])
    expect(weights[0]!.values[0]).toBeCloseTo(0.1)
  })

  test('a cancelled trial stops, and leaves nothing behind', async () => {
    const abort = new AbortController()
    abort.abort()
    await expect(trainInnocents(data, { count: 1, seed: 1 }, { signal: abort.signal })).rejects.toMatchObject(
      {
        code: 'cancelled',
      },
    )
  })
})

describe('a watermark on trial', () => {
  test('stolen files are proved, innocents and the clone are not', async () => {
    const pool = clothes.test.pixels(Array.from({ length: 200 }, (_, i) => i))
    const triggers = createTriggerSet(pool, 784, { count: 100, numClasses: 10, seed: 5 })
    const { innocents, unmarked } = await trainInnocents(data, { count: 1, seed: 5 })
    const suspects = await markTrial(data, triggers, { repeats: 4, seed: 5, innocents })
    expect(suspects.map(({ kind }) => kind)).toEqual([
      'copied',
      'fine-tuned',
      'pruned',
      'extracted',
      'innocent',
    ])
    for (const { kind, pValue } of suspects)
      if (['copied', 'fine-tuned', 'pruned'].includes(kind)) expect(pValue, kind).toBeLessThan(1e-12)
      else expect(pValue, kind).toBeGreaterThan(1e-3)
    expect(unmarked).toBeGreaterThan(0.88)
    expect(unmarked - suspects[0]!.accuracy).toBeLessThan(0.03)
  })

  test('marked answers prove theft only against a thief who trains for long', async () => {
    const [brief, long] = await dawnTrial(data, { share: 0.02, seed: 5, epochs: [6, 40] })
    expect(brief!.pValue).toBeGreaterThan(1e-3)
    expect(long!.pValue).toBeLessThan(1e-6)
    expect(long!.triggers).toBe(brief!.triggers)
    expect(long!.triggers).toBeGreaterThan(20)
  })

  test('a bent answer costs honest users their confidence, and a thief who reads the class alone nothing', async () => {
    const [exact, bent, alone] = await priceAnswers(
      data,
      [[], [{ id: 'reverse-sigmoid', beta: 0.95, gamma: 0.2 }], [{ id: 'top-one', tell: 'label' }]],
      5,
    )
    expect(exact!.classKept).toBe(1)
    expect(bent!.classKept).toBeGreaterThan(0.97)
    expect(exact!.confidence - bent!.confidence).toBeGreaterThan(0.5)
    expect(bent!.clone).toBeGreaterThan(0.75)
    expect(exact!.clone - alone!.clone).toBeLessThan(0.05)
  })
})
