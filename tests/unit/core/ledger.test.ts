import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { QueryLedger } from '../../../src/core/ledger.ts'
import { countedWhiteBox, decisionOracle, scoreOracle } from '../../../src/core/oracle.ts'
import * as tf from '../../../src/core/tf.ts'
import type { Model } from '../../../src/models/model.ts'
import { linearModel } from '../attacks/linear.ts'

const one = Float32Array.of(1)
const two = Float32Array.of(2)

describe('query ledger', () => {
  test('counts rows, not calls, by what was asked', () => {
    const ledger = new QueryLedger(10)
    ledger.charge('logits', 3)
    ledger.charge('gradient', 2)
    ledger.charge('logits', 1)
    expect(ledger.used).toBe(6)
    expect(ledger.summary()).toMatchObject({
      rows: { logits: 4, gradient: 2 },
      calls: 3,
      refused: 0,
      maxQueries: 10,
    })
  })

  test('refuses when the budget is spent, and books nothing', () => {
    const ledger = new QueryLedger(4)
    ledger.charge('scores', 3)
    expect(() => ledger.charge('scores', 2)).toThrow(
      expect.objectContaining({
        code: 'budget-spent',
        message: expect.stringMatching(/2 rows were asked for and 1 of 4 is left/),
      }),
    )
    expect(ledger.used).toBe(3)
    ledger.charge('scores', 1)
    expect(() => ledger.charge('scores', 1)).toThrow(/1 row was asked for and 0 of 4 are left/)
    expect(ledger.summary()).toMatchObject({ rows: { scores: 4 }, calls: 2, refused: 2 })
  })

  test('has no limit when none is given', () => {
    const ledger = new QueryLedger()
    ledger.charge('logits', 1e9)
    expect(ledger.max).toBe(Infinity)
    expect(ledger.summary()).not.toHaveProperty('maxQueries')
  })

  test.each([0, -1, 1.5, NaN, Infinity])('refuses to book %d rows', (rows) => {
    expect(() => new QueryLedger(10).charge('logits', rows)).toThrow(/rows must be a whole number/)
  })

  test.each([-1, 0.5, NaN])('refuses a budget of %d', (max) => {
    expect(() => new QueryLedger(max)).toThrow(/maxQueries must be/)
  })

  test('the transcript tells questions, their order, their kind, their split and their context apart', () => {
    const digest = (f: (ledger: QueryLedger) => void, context?: string) => {
      const ledger = new QueryLedger(100, context)
      f(ledger)
      return ledger.summary().transcriptDigest
    }
    const digests = [
      digest(() => {}),
      digest(() => {}, '7'),
      digest((l) => l.charge('logits', 1, [one])),
      digest((l) => l.charge('logits', 1, [two])),
      digest((l) => l.charge('gradient', 1, [one])),
      digest((l) => l.charge('logits', 2, [one])),
      digest((l) => (l.charge('logits', 1, [one]), l.charge('logits', 1, [two]))),
      digest((l) => (l.charge('logits', 1, [two]), l.charge('logits', 1, [one]))),
      digest((l) => l.charge('logits', 1, [one, two])),
      digest((l) => l.charge('logits', 1, [Float32Array.of(1, 2)])),
    ]
    expect(new Set(digests).size).toBe(digests.length)
    for (const each of digests) expect(each).toMatch(/^[0-9a-f]{64}$/)
    expect(digest((l) => l.charge('logits', 1, [one]))).toBe(digests[2])
  })

  test('a refused question leaves no trace in the transcript', () => {
    const ledger = new QueryLedger(1)
    const before = ledger.summary().transcriptDigest
    expect(() => ledger.charge('logits', 2, [one])).toThrow()
    expect(ledger.summary().transcriptDigest).toBe(before)
  })

  test('a part of a buffer counts as that part', () => {
    const buffer = Float32Array.of(5, 1, 5)
    const [a, b] = [new QueryLedger(), new QueryLedger()]
    a.charge('logits', 1, [buffer.subarray(1, 2)])
    b.charge('logits', 1, [one])
    expect(a.summary().transcriptDigest).toBe(b.summary().transcriptDigest)
  })
})

describe('oracles', () => {
  let model: Model
  let asked = 0
  beforeAll(async () => {
    await startBackend('cpu', readStatic)
    model = linearModel(2, 3, [1, 0, 0, 0, 1, 0])
  })
  afterAll(() => model.dispose())
  const spied = () => ({ ...model, logits: (x: tf.Tensor) => (asked++, model.logits(x)) })

  test('give probabilities, decisions and gradients, and count each row', async () => {
    const before = tf.memory().numTensors
    const ledger = new QueryLedger(100)
    const x = tf.tensor([
      [1, 0],
      [0, 1],
    ])
    const scores = await scoreOracle(model, ledger).scores(x)
    const decisions = await decisionOracle(model, ledger).decide(x)
    const white = countedWhiteBox(model, ledger)
    const logits = await white.logits(x)
    const { loss, gradient } = await white.lossAndGradient(x, [0, 1])
    const product = await white.vjp(x, logits)
    const [first] = (await scores.array()) as number[][]
    expect(first!.reduce((a, b) => a + b)).toBeCloseTo(1, 6)
    expect(first![0]).toBeCloseTo(Math.E / (Math.E + 2), 6)
    expect([...decisions]).toEqual([0, 1])
    expect(ledger.summary()).toMatchObject({
      rows: { scores: 2, decisions: 2, logits: 2, gradient: 4 },
      calls: 5,
    })
    tf.dispose([x, scores, logits, loss, gradient, product])
    expect(tf.memory().numTensors).toBe(before)
  })

  test('refuse before answering when the budget is spent', async () => {
    const ledger = new QueryLedger(3)
    const x = tf.tensor([
      [1, 0],
      [0, 1],
    ])
    const oracle = scoreOracle(spied(), ledger)
    ;(await oracle.scores(x)).dispose()
    expect(asked).toBe(1)
    await expect(oracle.scores(x)).rejects.toMatchObject({ code: 'budget-spent' })
    await expect(decisionOracle(spied(), ledger).decide(x)).rejects.toMatchObject({ code: 'budget-spent' })
    expect(asked).toBe(1)
    x.dispose()
  })
})
