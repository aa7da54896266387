import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Criterion } from '../../../src/core/criteria.ts'
import { entry, pgd, type PgdOptions } from '../../../src/attacks/evasion/pgd.ts'
import { fgsm } from '../../../src/attacks/evasion/fgsm.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import type { RunContext } from '../../../src/core/run.ts'
import * as tf from '../../../src/core/tf.ts'
import type { Model } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { attackContract, away, towards } from './contract.ts'
import { linearModel } from './linear.ts'
import { runs } from '../../helpers/runs.ts'

/**
 * Two inputs, two classes, logits z = (x₀, x₁). For a point labelled 0 the gradient of the cross-entropy is
 * (p₀ − 1, p₁) = (−p₁, p₁): less of x₀, more of x₁, everywhere.
 */
const identity = [1, 0, 0, 1]
const linf = { epsilon: 0.3, norm: 'linf', steps: 2, stepSize: 0.1 } as const

/**
 * One input, logits z = (0, relu(x − 0.5) − 0.2): below 0.5 class 1 stands at −0.2 and the gradient is 0,
 * above 0.7 it wins. What begins at or below 0.5 stays there.
 */
const plateau = () =>
  createModel(
    {
      name: 'plateau',
      inputShape: [1],
      numClasses: 2,
      bounds: [0, 1],
      classes: ['0', '1'],
      layers: [
        { type: 'dense', units: 1, activation: 'relu' },
        { type: 'dense', units: 2 },
      ],
    },
    [
      { name: 'dense1/kernel', shape: [1, 1], values: Float32Array.of(1) },
      { name: 'dense1/bias', shape: [1], values: Float32Array.of(-0.5) },
      { name: 'dense2/kernel', shape: [1, 2], values: Float32Array.of(0, 1) },
      { name: 'dense2/bias', shape: [2], values: Float32Array.of(0, -0.2) },
    ],
  )

attackContract(
  {
    entry,
    quick: { epsilon: 0.15, norm: 'linf', steps: 3, stepSize: 0.06, randomStart: false, restarts: 0 },
    moves: {
      epsilon: { to: 0.1 },
      norm: { to: 'l2' },
      steps: { to: 1 },
      stepSize: { to: 0.02 },
      randomStart: { to: true },
      restarts: { to: 4 },
    },
  },
  () => {},
)

describe.each(['cpu', 'wasm'] as const)('pgd by hand on %s', (backend) => {
  let model: Model
  let before = 0
  beforeAll(async () => {
    await startBackend(backend, readStatic)
    model = linearModel(2, 2, identity)
  })
  afterAll(() => model.dispose())
  beforeEach(() => void (before = tf.memory().numTensors))
  afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

  async function attack(
    rows: number[][],
    criterion: Criterion,
    options: Partial<PgdOptions>,
    victim = model,
    seed = 1,
  ): Promise<number[][]> {
    const x = tf.tensor(rows)
    const { adversarial } = await pgd(victim, x, criterion, options, { seed })
    const result = (await adversarial.array()) as number[][]
    tf.dispose([x, adversarial])
    return result
  }
  const expectRows = (got: number[][], wanted: number[][]) =>
    got.forEach((row, i) => row.forEach((value, j) => expect(value).toBeCloseTo(wanted[i]![j]!, 6)))

  test('walks along the sign, step by step, away from the label', async () => {
    expectRows(await attack([[0.6, 0.4]], away(0), linf), [[0.4, 0.6]])
    expectRows(await attack([[0.6, 0.4]], away(1), linf), [[0.8, 0.2]])
  })

  test('walks towards a target', async () => {
    expectRows(await attack([[0.6, 0.4]], towards(1), linf), [[0.4, 0.6]])
  })

  test('stops at the ball: five steps of 0.1 reach 0.3', async () => {
    expectRows(await attack([[0.6, 0.4]], away(0), { ...linf, steps: 5 }), [[0.3, 0.7]])
  })

  test('L2 walks the diagonal (−p₁, p₁) by the length of its step, up to the ball', async () => {
    const side = (length: number) => length / Math.SQRT2
    const l2 = { ...linf, norm: 'l2' } as const
    expectRows(await attack([[0.6, 0.4]], away(0), l2), [[0.6 - side(0.2), 0.4 + side(0.2)]])
    expectRows(await attack([[0.6, 0.4]], away(0), { ...l2, steps: 9 }), [[0.6 - side(0.3), 0.4 + side(0.3)]])
  })

  test('projects on the ball first and clips to the bounds then', async () => {
    expectRows(await attack([[0.05, 0.9]], away(0), { ...linf, steps: 4 }), [[0, 1]])
    // From (0.3, 1) by 0.2 along the diagonal: δ = (−0.1414, 0.1414), inside the ball, clipped to (−0.1414, 0).
    // Again: (−0.2828, 0.1414), of length 0.3162, is shrunk to 0.3 and then clipped.
    const one = 0.2 / Math.SQRT2
    const length = Math.hypot(2 * one, one)
    expectRows(await attack([[0.3, 1]], away(0), { epsilon: 0.3, norm: 'l2', steps: 2, stepSize: 0.2 }), [
      [0.3 - (2 * one * 0.3) / length, 1],
    ])
  })

  test('one step as long as the ball is FGSM, in either norm', async () => {
    const rows = [
      [0.6, 0.4],
      [0.2, 0.95],
    ]
    for (const norm of ['linf', 'l2'] as const) {
      const x = tf.tensor(rows)
      const { adversarial } = await fgsm(model, x, away(0, 1), { epsilon: 0.2, norm }, { seed: 1 })
      expectRows(
        await attack(rows, away(0, 1), { epsilon: 0.2, norm, steps: 1, stepSize: 0.2 }),
        (await adversarial.array()) as number[][],
      )
      tf.dispose([x, adversarial])
    }
  })

  test('leaves a row without a gradient where it is, in either norm', async () => {
    const flat = linearModel(2, 2, [0, 0, 0, 0])
    for (const norm of ['linf', 'l2'] as const)
      expectRows(await attack([[0.3, 0.7]], away(0), { ...linf, norm }, flat), [[0.3, 0.7]])
    flat.dispose()
  })

  test('begins at a random point only when told to, and the seed decides where', async () => {
    const flat = linearModel(4, 2, new Array<number>(8).fill(0))
    const x = [
      [0.5, 0.5, 0.5, 0.5],
      [0.5, 0.5, 0.5, 0.5],
    ]
    for (const norm of ['linf', 'l2'] as const) {
      const options = { ...linf, norm, randomStart: true }
      const got = await attack(x, away(0, 0), options, flat)
      expect(got).toEqual(await attack(x, away(0, 0), options, flat))
      expect(got).not.toEqual(await attack(x, away(0, 0), options, flat, 2))
      expect(got[0]).not.toEqual(got[1])
      expectRows(await attack(x, away(0, 0), { ...options, randomStart: false }, flat), x)
    }
    flat.dispose()
  })

  test('the random point is uniform in the ball: half of the L2 ball’s volume lies within 0.5^(1/d) of its radius', async () => {
    const flat = linearModel(3, 2, new Array<number>(6).fill(0))
    const rows = Array.from({ length: 2000 }, () => [0.5, 0.5, 0.5])
    const labels = away(...rows.map(() => 0))
    const share = (got: number[][], inside: (delta: number[]) => boolean) =>
      got.filter((row) => inside(row.map((value) => value - 0.5))).length / got.length
    const ball = await attack(
      rows,
      labels,
      { epsilon: 0.4, norm: 'l2', steps: 1, stepSize: 0.1, randomStart: true },
      flat,
    )
    expect(share(ball, (delta) => Math.hypot(...delta) < 0.4 * 0.5 ** (1 / 3))).toBeCloseTo(0.5, 1)
    expect(share(ball, ([first]) => first! > 0)).toBeCloseTo(0.5, 1)
    const cube = await attack(
      rows,
      labels,
      { epsilon: 0.4, norm: 'linf', steps: 1, stepSize: 0.1, randomStart: true },
      flat,
    )
    expect(share(cube, (delta) => Math.max(...delta.map(Math.abs)) < 0.4 * 0.5 ** (1 / 3))).toBeCloseTo(
      0.5,
      1,
    )
    flat.dispose()
  })

  test('restarts find what one run misses, and a row keeps its best run', async () => {
    const victim = plateau()
    const rows = Array.from({ length: 8 }, () => [0.4])
    const options = { epsilon: 0.4, norm: 'linf', steps: 8, stepSize: 0.1 } as const
    const labels = away(...rows.map(() => 0))
    expectRows(await attack(rows, labels, options, victim), rows)
    const found = await attack(rows, labels, { ...options, restarts: 20 }, victim)
    // A start in [0, 0.8] is above 0.5 with a chance of 3 in 8; twenty of them miss it once in 12 000 rows.
    expectRows(
      found,
      rows.map(() => [0.8]),
    )
    expectRows(
      await attack(rows, towards(...rows.map(() => 1)), { ...options, restarts: 20 }, victim),
      rows.map(() => [0.8]),
    )
    // Towards class 0 the smallest margin wins, which the plateau already has: of equals, the first run is kept.
    expectRows(await attack(rows, towards(...rows.map(() => 0)), { ...options, restarts: 3 }, victim), rows)
    victim.dispose()
  })

  test('leaves x untouched, reports every step, and its trace is the loss before each of the first run', async () => {
    const x = tf.tensor([[0.6, 0.4]])
    const steps: number[][] = []
    const run: RunContext = { seed: 1, onStep: (done, total) => steps.push([done, total]) }
    const { adversarial, trace } = await pgd(model, x, away(0), { ...linf, restarts: 1 }, run)
    expect([...(await x.data())]).toEqual([...Float32Array.of(0.6, 0.4)])
    expect(steps).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4],
    ])
    // −log p₀ where z₀ − z₁ is 0.2, then 0.
    expect(trace.map(({ step }) => step)).toEqual([0, 1])
    expect(trace[0]!.values.loss).toBeCloseTo(Math.log(1 + Math.exp(-0.2)), 5)
    expect(trace[1]!.values.loss).toBeCloseTo(Math.log(2), 5)
    tf.dispose([x, adversarial])
  })

  test.each([0, 1, 3])('leaks nothing when it is cancelled after %d steps', async (after) => {
    const x = tf.tensor([[0.6, 0.4]])
    const abort = new AbortController()
    if (after === 0) abort.abort()
    const run: RunContext = {
      seed: 1,
      signal: abort.signal,
      onStep: (done) => void (done === after && abort.abort()),
    }
    await expect(pgd(model, x, away(0), { ...linf, restarts: 2 }, run)).rejects.toMatchObject({
      code: 'cancelled',
    })
    x.dispose()
  })

  test('leaks nothing when the victim stops answering, in a step or between two runs', async () => {
    const x = tf.tensor([[0.6, 0.4]])
    let left = 2
    const failing = {
      ...info(model),
      logits: () => Promise.reject(new Error('gone')),
      lossAndGradient: (...args: Parameters<Model['lossAndGradient']>) =>
        left-- > 0 ? model.lossAndGradient(...args) : Promise.reject(new Error('lost')),
      vjp: model.vjp.bind(model),
    }
    await expect(pgd(failing, x, away(0), { ...linf, steps: 3 }, { seed: 1 })).rejects.toThrow('lost')
    left = 100
    await expect(pgd(failing, x, away(0), { ...linf, restarts: 1 }, { seed: 1 })).rejects.toThrow('gone')
    x.dispose()
  })

  test('stays inside budget and bounds, finite, and gives the same bytes twice', async () => {
    const unit = fc.float({ min: 0, max: 1, noNaN: true })
    const weight = fc.float({ min: -4, max: 4, noNaN: true })
    await fc.assert(
      fc.asyncProperty(
        fc.array(weight, { minLength: 12, maxLength: 12 }),
        fc.array(fc.array(unit, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
        fc.record({
          epsilon: unit,
          norm: fc.constantFrom('linf' as const, 'l2' as const),
          steps: fc.integer({ min: 1, max: 5 }),
          stepSize: fc.float({ min: Math.fround(0.01), max: 1, noNaN: true }),
          randomStart: fc.boolean(),
          restarts: fc.integer({ min: 0, max: 2 }),
        }),
        fc.boolean(),
        async (kernel, rows, options, targeted) => {
          const victim = linearModel(4, 3, kernel)
          const classes = rows.map((_, i) => i % 3)
          const criterion = targeted ? towards(...classes) : away(...classes)
          const got = await attack(rows, criterion, options, victim)
          const again = await attack(rows, criterion, options, victim)
          victim.dispose()
          expect(again).toEqual(got)
          for (const [i, row] of got.entries()) {
            const delta = row.map((value, j) => value - rows[i]![j]!)
            const size = options.norm === 'linf' ? Math.max(...delta.map(Math.abs)) : Math.hypot(...delta)
            expect(size).toBeLessThanOrEqual(options.epsilon + 1e-6)
            for (const value of row) expect(value >= 0 && value <= 1).toBe(true)
          }
        },
      ),
      { numRuns: runs(40) },
    )
  })

  test('more budget and more steps are no worse on a linear model', async () => {
    const victim = linearModel(3, 2, [2, -1, -1, 1, 0.5, -2])
    const lossAt = async (options: Partial<PgdOptions>) => {
      const [row] = await attack(
        [[0.5, 0.5, 0.5]],
        away(0),
        { norm: 'linf', stepSize: 0.05, ...options },
        victim,
      )
      const x = tf.tensor([row!])
      const { loss, gradient } = await victim.lossAndGradient(x, [0])
      const [value] = await loss.data()
      tf.dispose([x, loss, gradient])
      return value!
    }
    for (const series of [
      [0, 0.05, 0.1, 0.2, 0.4].map((epsilon) => ({ epsilon, steps: 10 })),
      [1, 2, 4, 8].map((steps) => ({ epsilon: 0.3, steps })),
    ]) {
      let last = -Infinity
      for (const options of series) {
        const value = await lossAt(options)
        expect(value).toBeGreaterThanOrEqual(last)
        last = value
      }
    }
    victim.dispose()
  })
})

const info = ({ inputShape, numClasses, bounds }: Model) => ({ inputShape, numClasses, bounds })
