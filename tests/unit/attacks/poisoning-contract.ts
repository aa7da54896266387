/**
 * What every attack on a labelled training set must do, whatever its algorithm: one list, run for each of
 * them.
 */
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Options, PoisoningEntry, PoisoningResult } from '../../../src/attacks/attack.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import type { RunContext } from '../../../src/core/run.ts'
import * as tf from '../../../src/core/tf.ts'
import { checkRows, rowOf, rowSize, type LabelledRows } from '../../../src/data/labelled-rows.ts'
import { runs } from '../../helpers/runs.ts'
import { linearModel } from './linear.ts'

export type RowsEntry = Extract<PoisoningEntry, { takes: 'labelled-rows' }>

/** Rows of noise in [0, 1], classes in turn, ids from 100 in steps of 3: an id is not a place. */
export function noiseRows(
  count: number,
  numClasses: number,
  shape: readonly number[] = [4],
  seed = 1,
): LabelledRows {
  const rng = createRng(seed, 'noise rows')
  const size = shape.reduce((product, n) => product * n, 1)
  return {
    ids: Int32Array.from({ length: count }, (_, i) => 100 + 3 * i),
    x: Float32Array.from({ length: count * size }, () => rng.uniform()),
    shape,
    labels: Int32Array.from({ length: count }, (_, i) => i % numClasses),
    numClasses,
  }
}

/**
 * Runs an attack with whatever knowledge it asks for: a linear surrogate, or the first row as a target in
 * pixel space.
 */
export function poison(
  entry: RowsEntry,
  data: LabelledRows,
  options: Options,
  run: RunContext = { seed: 1 },
): Promise<PoisoningResult> {
  if (entry.access === 'data') return entry.run(data, options, run)
  const size = rowSize(data)
  const rng = createRng(9, 'kernel')
  const kernel = Array.from({ length: size * data.numClasses }, () => 2 * rng.uniform() - 1)
  const model = { ...linearModel(size, data.numClasses, kernel) }
  // The linear model reads flat rows; the attack hands it rows of the data's shape.
  const flat = (x: tf.Tensor) => tf.reshape(x, [x.shape[0]!, size])
  const shaped = (x: tf.Tensor, like: tf.Tensor) => tf.reshape(x, like.shape)
  const surrogate = {
    ...model,
    inputShape: data.shape,
    logits: async (x: tf.Tensor) => {
      const rows = flat(x)
      const logits = await model.logits(rows)
      rows.dispose()
      return logits
    },
    vjp: async (x: tf.Tensor, cotangent: tf.Tensor) => {
      const rows = flat(x)
      const gradient = await model.vjp(rows, cotangent)
      const result = shaped(gradient, x)
      tf.dispose([rows, gradient])
      return result
    },
    lossAndGradient: async (x: tf.Tensor, y: ArrayLike<number>) => {
      const rows = flat(x)
      const { loss, gradient } = await model.lossAndGradient(rows, y)
      const result = { loss, gradient: shaped(gradient, x) }
      tf.dispose([rows, gradient])
      return result
    },
  }
  const target = Float32Array.from({ length: size }, (_, i) => (i % 5) / 4)
  const done =
    entry.access === 'surrogate'
      ? entry.run(data, surrogate, options, run)
      : entry.run(data, { features: surrogate, target, baseClass: 0 }, options, run)
  return done.finally(() => model.dispose())
}

export interface PoisoningSubject {
  entry: RowsEntry
  /** Shape of the rows it is tried on: an image for a trigger. */
  shape?: readonly number[]
  /** Options with which a run takes a moment and changes something. */
  quick: Options
  /** For each option, a value (beside others) with which the result is another. */
  moves: Record<string, { to: Options[string]; beside?: Options }>
  /** Rows that these options may change or add at most, of a data set of so many. */
  budget(rows: number): number
  /** What of a row may change; rows are added only by `adds`. */
  changes: 'labels' | 'x' | 'both'
  adds?: true
}

/** Declares the tests of the contract, and of `more`, with a leak check around each. */
export function poisoningContract(subject: PoisoningSubject, more: () => void): void {
  const { entry, shape = [4], quick, moves, budget, changes, adds } = subject

  describe(entry.id, () => {
    let before = 0
    beforeAll(() => startBackend('cpu', readStatic))
    beforeEach(() => void (before = tf.memory().numTensors))
    afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

    more()

    test('names exactly the rows that it changed or added, within its budget, and leaves the rest and the original alone', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 24, max: 60 }),
          fc.integer({ min: 2, max: 4 }),
          fc.nat(1e6),
          async (count, classes, seed) => {
            const data = noiseRows(count, classes, shape, seed)
            const kept = structuredClone(data)
            const { data: after, poisonedIds } = await poison(entry, data, quick, { seed })
            expect(data).toEqual(kept)
            expect(() => checkRows('the result', after)).not.toThrow()
            expect([...poisonedIds]).toEqual([...new Set(poisonedIds)].sort((a, b) => a - b))
            expect(poisonedIds.length).toBeLessThanOrEqual(budget(count))
            const poisoned = new Set(poisonedIds)
            if (!adds) expect(after.ids).toEqual(data.ids)
            for (const [place, id] of after.ids.entries()) {
              if (place >= count) {
                expect(poisoned.has(id)).toBe(true)
                continue
              }
              const sameX = rowOf(after, place).every((value, k) => value === rowOf(data, place)[k])
              const sameLabel = after.labels[place] === data.labels[place]
              if (!poisoned.has(id)) expect([sameX, sameLabel]).toEqual([true, true])
              if (changes === 'labels') expect(sameX).toBe(true)
              if (changes === 'x') expect(sameLabel).toBe(true)
              if (changes === 'labels' && poisoned.has(id)) expect(sameLabel).toBe(false)
            }
            for (const value of after.x) expect(value >= 0 && value <= 1, `${value}`).toBe(true)
          },
        ),
        { numRuns: runs(6) },
      )
    })

    test('same seed, same bytes', async () => {
      const data = noiseRows(40, 3, shape)
      expect(await poison(entry, data, quick, { seed: 5 })).toEqual(
        await poison(entry, data, quick, { seed: 5 }),
      )
    })

    test('every option moves the result', async () => {
      expect(Object.keys(moves).sort()).toEqual(entry.parameters.map(({ name }) => name).sort())
      const data = noiseRows(60, 3, shape)
      for (const [name, { to, beside = {} }] of Object.entries(moves)) {
        const base = { ...quick, ...beside }
        const [one, other] = [
          await poison(entry, data, base),
          await poison(entry, data, { ...base, [name]: to }),
        ]
        expect(other, name).not.toEqual(one)
      }
    })

    test('a budget of 0 changes nothing and names nobody', async () => {
      const data = noiseRows(30, 3, shape)
      const result = await poison(entry, data, { ...quick, share: 0 })
      expect(result.data).toEqual(data)
      expect(result.poisonedIds).toHaveLength(0)
    })

    test.each([NaN, Infinity])('refuses data with %s in it and names the row', async (bad) => {
      const data = noiseRows(30, 3, shape)
      data.x[rowSize(data) * 4 + 1] = bad
      await expect(poison(entry, data, quick)).rejects.toThrow(
        `${entry.id}: row 112 holds ${bad} as its number 1`,
      )
    })

    test.each<[string, (data: LabelledRows) => LabelledRows, RegExp]>([
      [
        'an empty data set',
        (data) => ({ ...data, ids: new Int32Array(0), labels: new Int32Array(0), x: new Float32Array(0) }),
        /the data set is empty/,
      ],
      [
        'a label that is no class',
        (data) => ({ ...data, labels: data.labels.map((label, i) => (i === 2 ? 7 : label)) }),
        /the label of row 106 must be a class from 0 to 2; got 7/,
      ],
      [
        'two rows of one id',
        (data) => ({ ...data, ids: data.ids.map((id, i) => (i === 2 ? 100 : id)) }),
        /the id 100 names two rows/,
      ],
      ['too few labels', (data) => ({ ...data, labels: data.labels.slice(1) }), /ids need as many labels/],
    ])('refuses %s', async (_, spoil, message) => {
      await expect(poison(entry, spoil(noiseRows(30, 3, shape)), quick)).rejects.toThrow(message)
    })

    test.each<[string, Options, string]>([
      ['a share above 1', { share: 1.5 }, `${entry.id}: share must be`],
      ['a negative share', { share: -0.1 }, `${entry.id}: share must be`],
      ['a share that is NaN', { share: NaN }, `${entry.id}: share must be a finite number`],
      ['an option it does not have', { strength: 1 }, 'no option "strength", so it would have no effect'],
    ])('refuses %s', async (_, options, message) => {
      await expect(poison(entry, noiseRows(30, 3, shape), { ...quick, ...options })).rejects.toThrow(message)
    })

    test('stops before it begins when it is cancelled', async () => {
      const signal = AbortSignal.abort()
      await expect(poison(entry, noiseRows(30, 3, shape), quick, { seed: 1, signal })).rejects.toMatchObject({
        code: 'cancelled',
      })
    })
  })
}
