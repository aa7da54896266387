import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runs } from '../../helpers/runs.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import type { LabelledRows } from '../../../src/data/labelled-rows.ts'
import { deepKnnSuspicion } from '../../../src/defences/sanitation/deep-knn.ts'
import { foldsOf } from '../../../src/defences/sanitation/fit.ts'
import { knnSuspicion } from '../../../src/defences/sanitation/knn.ts'
import { crossEntropies, lossSuspicion } from '../../../src/defences/sanitation/loss.ts'
import { labelShift, schemaOf, violations, type ColumnRule } from '../../../src/defences/sanitation/schema.ts'
import { flagTop, relabelled } from '../../../src/defences/sanitation/suspicion.ts'
import { linearModel } from '../attacks/linear.ts'
import { noiseRows } from '../attacks/poisoning-contract.ts'

const table = (rows: number[][], labels: number[], numClasses = 2): LabelledRows => ({
  ids: Int32Array.from(rows.keys()).map((i) => 10 + i),
  x: Float32Array.from(rows.flat()),
  shape: [rows[0]!.length],
  labels: Int32Array.from(labels),
  numClasses,
})
/** Ten rows of each class, far apart; row 13 is labelled as the others are. */
const twoHeaps = () =>
  table(
    Array.from({ length: 20 }, (_, i) => [i < 10 ? i / 100 : 0.9 + i / 1000]),
    Array.from({ length: 20 }, (_, i) => (i < 10 && i !== 3 ? 0 : 1)),
  )
const run = { seed: 1 }

describe('schema', () => {
  const rules: ColumnRule[] = [
    { name: 'amount', min: 0, max: 500 },
    { name: 'hour', min: 0, max: 23, whole: true },
    { name: 'abroad', min: 0, max: 1, allowed: [0, 1] },
  ]
  test('names each rule that a row breaks, with the column and what was expected', () => {
    const data = table(
      [
        [20, 5, 1],
        [NaN, 5, 0],
        [-1, 5.5, 0.5],
        [20, 24, 0],
      ],
      [0, 1, 0, 7],
    )
    expect(violations(data, rules)).toEqual([
      { id: 11, column: 'amount', value: NaN, expected: 'a finite number' },
      { id: 12, column: 'amount', value: -1, expected: 'from 0 to 500' },
      { id: 12, column: 'hour', value: 5.5, expected: 'a whole number' },
      { id: 12, column: 'abroad', value: 0.5, expected: 'one of 0, 1' },
      { id: 13, column: 'hour', value: 24, expected: 'from 0 to 23' },
      { id: 13, column: 'label', value: 7, expected: 'a class from 0 to 1' },
    ])
  })

  test('names an id that comes twice', () => {
    const data = table([[1], [1]], [0, 1])
    data.ids[1] = 10
    expect(violations(data, [{ name: 'a', min: 0, max: 1 }])).toMatchObject([{ id: 10, column: 'id' }])
  })

  test('a flipped label breaks no rule', () => {
    const data = noiseRows(50, 2)
    const names = ['a', 'b', 'c', 'd']
    const flipped = { ...data, labels: data.labels.map((label) => 1 - label) }
    expect(violations(flipped, schemaOf(data, names))).toEqual([])
  })

  test('read off trusted rows, it passes them and takes ranges, whole numbers and flags as they are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(1e6), (count, seed) => {
        const data = noiseRows(count, 2, [3], seed)
        expect(violations(data, schemaOf(data, ['a', 'b', 'c'], { margin: 0 }))).toEqual([])
      }),
    )
    const data = table(
      [
        [1.5, 4, 0],
        [2.5, 9, 1],
        [2, 5, 1],
      ],
      [0, 1, 0],
    )
    expect(schemaOf(data, ['x', 'n', 'flag'])).toEqual([
      { name: 'x', min: 1.4, max: 2.6 },
      { name: 'n', min: 3.5, max: 9.5, whole: true },
      { name: 'flag', min: 0, max: 1, allowed: [0, 1] },
    ])
  })

  test('allowed values are compared as the float32 they are stored as', () => {
    const data = table([[0.1], [0.3]], [0, 1])
    expect(violations(data, [{ name: 'a', min: 0, max: 1, allowed: [0.1, 0.3] }])).toEqual([])
  })

  test('refuses a schema that does not fit or allows nothing, and trusted rows with NaN', () => {
    const data = table([[1, 2]], [0])
    expect(() => violations(data, [])).toThrow('expected 2 rules, one a column; got 0')
    expect(() => violations(table([[1]], [0]), [{ name: 'a', min: 2, max: 1 }])).toThrow(
      'the rule for a allows nothing; got from 2 to 1',
    )
    expect(() => schemaOf(table([[NaN]], [0]), ['a'])).toThrow('row 10 has NaN as a')
    expect(() => schemaOf(data, ['a'])).toThrow('2 names, one a column; got 1 rows and 1 names')
  })

  test('a shift of the labels is the largest move of a share', () => {
    const before = table([[0], [0], [0], [0]], [0, 0, 1, 1])
    expect(labelShift(before, { ...before, labels: Int32Array.of(0, 0, 0, 1) })).toEqual({
      distance: 0.25,
      label: 0,
    })
    expect(() => labelShift(before, { ...before, labels: new Int32Array(0) })).toThrow(RangeError)
  })
})

describe('k-NN sanitation', () => {
  test('finds the row whose neighbours disagree, and says what they would call it', async () => {
    const { scores, flaggedIds, suggested } = await knnSuspicion(
      twoHeaps(),
      { neighbours: 4, confidence: 0.6 },
      run,
    )
    expect([...flaggedIds]).toEqual([13])
    expect(suggested[3]).toBe(0)
    // Row 3 stands among zeros alone; its nearest see one row in four of another label.
    expect([scores[3], scores[2], scores[15]]).toEqual([1, 0.25, 0])
  })

  test('is blind to a neighbourhood that was flipped as a whole', async () => {
    const data = twoHeaps()
    data.labels.fill(1, 0, 10)
    data.labels[0] = 0
    const { flaggedIds } = await knnSuspicion(data, { neighbours: 4, confidence: 0.6 }, run)
    expect([...flaggedIds]).toEqual([10])
  })

  test('more confidence flags no more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), async (seed) => {
        const data = noiseRows(40, 3, [2], seed)
        let before = Infinity
        for (const confidence of [0.2, 0.5, 0.8, 1]) {
          const { flaggedIds, scores } = await knnSuspicion(data, { neighbours: 5, confidence }, run)
          expect(flaggedIds.length).toBeLessThanOrEqual(before)
          for (const score of scores) expect(score >= 0 && score <= 1).toBe(true)
          before = flaggedIds.length
        }
      }),
      { numRuns: runs(10) },
    )
  })

  test('a set of one row has no neighbours to ask', async () => {
    const { scores, flaggedIds } = await knnSuspicion(
      table([[1]], [0]),
      { neighbours: 3, confidence: 0.5 },
      run,
    )
    expect([[...scores], [...flaggedIds]]).toEqual([[0], []])
  })

  test.each([
    [{ neighbours: 0, confidence: 0.5 }, /neighbours must be a whole number of at least 1/],
    [{ neighbours: 1, confidence: 0 }, /confidence must lie above 0/],
  ])('refuses %o', async (options, message) => {
    await expect(knnSuspicion(twoHeaps(), options, run)).rejects.toThrow(message)
  })

  test('refuses NaN by the row, and stops when cancelled', async () => {
    const data = twoHeaps()
    data.x[4] = NaN
    const options = { neighbours: 3, confidence: 0.5 }
    await expect(knnSuspicion(data, options, run)).rejects.toThrow('knn: row 14 holds NaN')
    await expect(
      knnSuspicion(twoHeaps(), options, { seed: 1, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('deep k-NN', () => {
  test('drops the row that other labels outvote, by plurality and not by majority', async () => {
    // Asked about all others, each row hears its own label once and either other one twice: no majority, but
    // a plurality.
    const features = {
      ids: Int32Array.of(7, 8, 9, 10, 11, 12),
      x: Float64Array.of(0, 0.1, 0.2, 0.3, 0.4, 0.5),
      size: 1,
      labels: Int32Array.of(0, 0, 1, 1, 2, 2),
      numClasses: 3,
    }
    const { flaggedIds, own, scores } = await deepKnnSuspicion(features, { neighbours: 5 }, run)
    expect([...own]).toEqual(new Array(6).fill(0.2))
    expect([...scores]).toEqual(new Array(6).fill(0.4))
    expect([...flaggedIds]).toEqual([7, 8, 9, 10, 11, 12])
    const near = await deepKnnSuspicion(features, { neighbours: 2 }, run)
    // Asked about two, a row on a border hears one of its own and one of another.
    expect([...near.flaggedIds]).toEqual([])
    expect(near.own[2]).toBe(0.5)
  })

  test('refuses features of a model that diverged', async () => {
    const features = {
      ids: Int32Array.of(1),
      x: Float64Array.of(NaN),
      size: 1,
      labels: Int32Array.of(0),
      numClasses: 2,
    }
    await expect(deepKnnSuspicion(features, { neighbours: 1 }, run)).rejects.toThrow(
      'the features of row 1 are not finite',
    )
  })
})

describe('loss filter', () => {
  /** Trains nothing: z = (½ − x, x − ½), right about twoHeaps. */
  const reader = async () => linearModel(1, 2, [-1, 1], [0.5, -0.5])

  test('flags the row that models which have not seen it believe least, and leaks nothing', async () => {
    await startBackend('cpu', readStatic)
    const before = tf.memory().numTensors
    const asked: number[] = []
    const data = twoHeaps()
    const { scores, flaggedIds } = await lossSuspicion(
      data,
      async (part) => {
        asked.push(...part.ids)
        return reader()
      },
      { folds: 4, share: 0.05 },
      run,
    )
    expect([...flaggedIds]).toEqual([13])
    // Row 3 lies at 0.03 and is labelled 1: z = (0.47, −0.47).
    expect(scores[3]).toBeCloseTo(0.94 + Math.log(1 + Math.exp(-0.94)), 6)
    for (const id of data.ids) expect(asked.filter((other) => other === id)).toHaveLength(3)
    expect(tf.memory().numTensors).toBe(before)
  })

  test('a model that diverged is told as such', async () => {
    await startBackend('cpu', readStatic)
    const broken = async () => linearModel(1, 2, [3e38, -3e38], [3e38, 0])
    const large = { ...twoHeaps(), x: new Float32Array(20).fill(3) }
    await expect(lossSuspicion(large, broken, { folds: 2, share: 0.1 }, run)).rejects.toThrow('has diverged')
  })

  test('folds hold every class evenly, and each row once', () => {
    const data = noiseRows(30, 3)
    const fold = foldsOf(data, 5, 1)
    for (let k = 0; k < 5; k++) {
      const labels = [...data.labels].filter((_, i) => fold[i] === k).sort()
      expect(labels).toEqual([0, 0, 1, 1, 2, 2])
    }
    expect(() => foldsOf(data, 31, 1)).toThrow('from 2 to the 30 rows; got 31')
    expect(() => foldsOf(data, 1, 1)).toThrow('got 1')
  })

  test('cross-entropies are those of the softmax, also of large logits', () => {
    const [even, sure, wrong] = crossEntropies([1, 1, 900, 0, 900, 0], [0, 0, 1])
    expect(even).toBeCloseTo(Math.log(2), 12)
    expect(sure).toBe(0)
    expect(wrong).toBe(900)
  })
})

describe('suspicion', () => {
  test('the top are the highest scores, equals by their place', () => {
    const data = noiseRows(4, 2)
    expect([...flagTop(data, Float64Array.of(1, 3, 3, 2), 1).flaggedIds]).toEqual([103])
    expect([...flagTop(data, Float64Array.of(1, 3, 3, 2), 3).flaggedIds]).toEqual([103, 106, 109])
    expect([...flagTop(data, Float64Array.of(1, 3, 3, 2), 0).flaggedIds]).toEqual([])
  })

  test('relabelling changes the labels it is told and a copy only', () => {
    const data = noiseRows(4, 2)
    expect([...relabelled(data, [103, 100], [0, 1]).labels]).toEqual([1, 0, 0, 1])
    expect([...data.labels]).toEqual([0, 1, 0, 1])
    expect(() => relabelled(data, [1], [0])).toThrow('no row has the id 1')
    expect(() => relabelled(data, [100], [2])).toThrow('from 0 to 1; got 2')
    expect(() => relabelled(data, [100], [])).toThrow('a label for each of the 1 rows; got 0')
  })
})
