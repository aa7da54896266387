import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { QueryLedger } from '../../../src/core/ledger.ts'
import { scoreOracle } from '../../../src/core/oracle.ts'
import { indexOfMax } from '../../../src/core/rows.ts'
import * as tf from '../../../src/core/tf.ts'
import { answerFormats, createTeller, tellingLess } from '../../../src/defences/answers.ts'
import { linearModel } from '../attacks/linear.ts'
import { watchTensors } from '../attacks/theft.ts'

const told = (id: string, options: Record<string, number | string | boolean>, row: number[], seed = 1) =>
  Array.from(createTeller([{ id, ...options }], seed)(Float32Array.from(row), row.length))

describe('answer formats', () => {
  test('are found by their files', () => {
    expect([...answerFormats.keys()].sort()).toEqual([
      'misinformation',
      'noise',
      'reverse-sigmoid',
      'rounding',
      'top-one',
    ])
  })

  test('rounding, on paper', () => {
    expect(told('rounding', { decimals: 2 }, [0.374, 0.626]).map((p) => p.toFixed(7))).toEqual([
      '0.3700000',
      '0.6300000',
    ])
    expect(told('rounding', { decimals: 0 }, [0.374, 0.626])).toEqual([0, 1])
  })

  test('the top class, with its probability or without; the first of two equals', () => {
    expect(told('top-one', {}, [0.25, 0.5, 0.25])).toEqual([0, 0.5, 0])
    expect(told('top-one', { tell: 'label' }, [0.25, 0.5, 0.25])).toEqual([0, 1, 0])
    expect(told('top-one', { tell: 'label' }, [0.5, 0.5])).toEqual([1, 0])
  })

  test('misinformation turns a doubtful row upside down and leaves a sure one as it is', () => {
    expect(told('misinformation', { sure: 0.9 }, [0.125, 0.625, 0.25])).toEqual([0.625, 0.125, 0.25])
    expect(told('misinformation', { sure: 0.625 }, [0.125, 0.625, 0.25])).toEqual([0.125, 0.625, 0.25])
    expect(told('misinformation', { sure: 1 }, [0.5, 0.5])).toEqual([0.5, 0.5])
    expect(() => told('misinformation', { sure: 1.5 }, [1, 0])).toThrow(
      /sure must lie between 0 and 1; got 1.5/,
    )
  })

  test('reverse sigmoid, on paper', () => {
    // γ = 1: S(S⁻¹(y)) = y, so y − β(y − ½) with β = ½: 0.8 → 0.65 and 0.2 → 0.35, which sum to 1.
    const [a, b] = told('reverse-sigmoid', { beta: 0.5, gamma: 1 }, [0.8, 0.2])
    expect(a).toBeCloseTo(0.65, 6)
    expect(b).toBeCloseTo(0.35, 6)
    const plain = told('reverse-sigmoid', { beta: 0, gamma: 0.2 }, [0.8, 0.2])
    expect(plain[0]).toBeCloseTo(0.8, 6)
    // γ = 0.2, 0.9: logit ln 9, S(0.2 ln 9) = 0.60814, r = 0.10814; 0.9 − 0.95 · 0.10814 = 0.79726, 0.1 + … = 0.20274.
    expect(told('reverse-sigmoid', {}, [0.9, 0.1])[0]).toBeCloseTo(0.79726, 4)
  })

  test('reverse sigmoid takes a certain answer too, and makes it doubtful', () => {
    const [sure] = told('reverse-sigmoid', { beta: 0.95, gamma: 0.2 }, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(sure).toBeGreaterThan(0.1)
    expect(sure).toBeLessThan(0.3)
  })

  test('noise is drawn anew for each row and again the same from the same seed', () => {
    const tell = createTeller([{ id: 'noise', deviation: 0.1 }], 4)
    const rows = Float32Array.of(0.6, 0.4, 0.6, 0.4)
    const first = tell(rows, 2)
    expect(first[0]).not.toBe(first[2])
    expect(tell(rows, 2)).not.toEqual(first)
    expect(createTeller([{ id: 'noise', deviation: 0.1 }], 4)(rows, 2)).toEqual(first)
    expect(createTeller([{ id: 'noise', deviation: 0.1 }], 5)(rows, 2)).not.toEqual(first)
    expect(told('noise', { deviation: 0 }, [0.75, 0.25])).toEqual([0.75, 0.25])
  })

  test('noise keeps the class when told to, and loses it often when not', () => {
    const row = [0.4, 0.35, 0.25]
    const tops = (keepTop: boolean) =>
      Array.from({ length: 200 }, (_, seed) =>
        indexOfMax(Float32Array.from(told('noise', { deviation: 0.3, keepTop }, row, seed))),
      ).filter((top) => top === 0).length
    expect(tops(true)).toBe(200)
    expect(tops(false)).toBeLessThan(150)
  })

  const weights = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 10 })
  const distribution = weights
    .filter((list) => list.some((value) => value > 1e-3))
    .map((list) => Float32Array.from(list, (value) => value / list.reduce((a, b) => a + b, 0)))
  test.each([...answerFormats.values()])(
    '$id tells finite numbers of at least 0 and leaves the row alone',
    (entry) => {
      fc.assert(
        fc.property(distribution, fc.nat(), (row, seed) => {
          const before = row.slice()
          const answer = createTeller([{ id: entry.id }], seed)(row, row.length)
          expect(row).toEqual(before)
          expect(answer).toHaveLength(row.length)
          for (const value of answer) expect(value >= 0 && value <= 1 + 1e-6, `${value}`).toBe(true)
          const sum = answer.reduce((total, value) => total + value, 0)
          if (entry.id === 'noise' || entry.id === 'reverse-sigmoid') expect(sum).toBeCloseTo(1, 5)
        }),
      )
    },
  )

  test('go one after the other', () => {
    const tell = createTeller([{ id: 'top-one' }, { id: 'rounding', decimals: 1 }], 1)
    expect([...tell(Float32Array.of(0.26, 0.5, 0.24, 0.1, 0.1, 0.8), 3)].map((p) => p.toFixed(3))).toEqual([
      '0.000',
      '0.500',
      '0.000',
      '0.000',
      '0.000',
      '0.800',
    ])
  })

  test.each<[Record<string, unknown> & { id: string }, RegExp]>([
    [{ id: 'silence' }, /no answer format "silence"; the formats are .*rounding/],
    [{ id: 'rounding', decimals: -1 }, /rounding: decimals must be a whole number of at least 0; got -1/],
    [{ id: 'rounding', digits: 1 }, /no option "digits"/],
    [{ id: 'top-one', tell: 'all' }, /tell must be one of "probability", "label"; got "all"/],
    [{ id: 'reverse-sigmoid', beta: 2 }, /beta must lie between 0 and 1; got 2/],
    [{ id: 'reverse-sigmoid', gamma: 0 }, /gamma must be positive; got 0/],
    [{ id: 'noise', deviation: -1 }, /deviation must be at least 0; got -1/],
  ])('refuses %j before any answer', (spec, message) =>
    expect(() => createTeller([spec as never], 1)).toThrow(message),
  )
})

describe('an oracle that tells less', () => {
  beforeAll(() => startBackend('cpu', readStatic))
  watchTensors()

  test('counts as before, answers in the format, and leaks nothing when it refuses', async () => {
    const model = linearModel(2, 2, [1, 0, 0, 1])
    const ledger = new QueryLedger(2)
    const oracle = tellingLess(scoreOracle(model, ledger), [{ id: 'rounding', decimals: 1 }], 1)
    expect(oracle).toMatchObject({ inputShape: [2], numClasses: 2, bounds: [0, 1] })
    const x = tf.tensor([
      [1, 0],
      [0, 1],
    ])
    const scores = await oracle.scores(x)
    expect([...(await scores.data())].map((p) => p.toFixed(6))).toEqual([
      '0.700000',
      '0.300000',
      '0.300000',
      '0.700000',
    ])
    await expect(oracle.scores(x)).rejects.toMatchObject({ code: 'budget-spent' })
    expect(ledger.used).toBe(2)
    tf.dispose([x, scores])
    model.dispose()
  })
})
