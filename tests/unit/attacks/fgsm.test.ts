import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Criterion } from '../../../src/core/criteria.ts'
import { entry, fgsm, type FgsmOptions } from '../../../src/attacks/evasion/fgsm.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import type { Model } from '../../../src/models/model.ts'
import { linearModel } from './linear.ts'
import { runs } from '../../helpers/runs.ts'

/**
 * Two inputs, two classes, logits z = (x₀, x₁). For a point labelled 0 the gradient of the cross-entropy is
 * (p₀ − 1, p₁) = (−p₁, p₁): less of x₀, more of x₁.
 */
const identity = [1, 0, 0, 1]
const away = (...labels: number[]): Criterion => ({ kind: 'misclassification', labels })
const towards = (...targets: number[]): Criterion => ({ kind: 'targeted', targets })

describe.each(['cpu', 'wasm'] as const)('fgsm on %s', (backend) => {
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
    options: Partial<FgsmOptions>,
    victim = model,
  ): Promise<number[][]> {
    const x = tf.tensor(rows)
    const { adversarial } = await fgsm(victim, x, criterion, options, { seed: 1 })
    const result = (await adversarial.array()) as number[][]
    tf.dispose([x, adversarial])
    return result
  }
  const expectRows = (got: number[][], wanted: number[][]) =>
    got.forEach((row, i) => row.forEach((value, j) => expect(value).toBeCloseTo(wanted[i]![j]!, 6)))

  test('steps by epsilon along the sign, away from the label', async () => {
    expectRows(await attack([[0.6, 0.4]], away(0), { epsilon: 0.1, norm: 'linf' }), [[0.5, 0.5]])
    expectRows(await attack([[0.6, 0.4]], away(1), { epsilon: 0.1, norm: 'linf' }), [[0.7, 0.3]])
  })

  test('steps towards a target', async () => {
    expectRows(await attack([[0.6, 0.4]], towards(1), { epsilon: 0.2, norm: 'linf' }), [[0.4, 0.6]])
  })

  test('L2 goes the whole length along the gradient: (−p₁, p₁) is the diagonal', async () => {
    const side = 0.1 / Math.SQRT2
    expectRows(await attack([[0.6, 0.4]], away(0), { epsilon: 0.1, norm: 'l2' }), [[0.6 - side, 0.4 + side]])
  })

  test('clips to the bounds', async () => {
    expectRows(await attack([[0.05, 0.98]], away(0), { epsilon: 0.1, norm: 'linf' }), [[0, 1]])
  })

  test('leaves a row without a gradient where it is, in either norm', async () => {
    const flat = linearModel(2, 2, [0, 0, 0, 0])
    for (const norm of ['linf', 'l2'] as const)
      expectRows(await attack([[0.3, 0.7]], away(0), { epsilon: 0.2, norm }, flat), [[0.3, 0.7]])
    flat.dispose()
  })

  test('follows a gradient far below 1e-7: a model that is sure is still attacked', async () => {
    // p₁ is about e⁻²⁴, and the gradient (−p₁, p₁).
    const sure = linearModel(2, 2, [0, -1, 0, 1], [24, 0])
    expectRows(await attack([[0.9, 0.1]], away(0), { epsilon: 0.1, norm: 'linf' }, sure), [[0.8, 0.2]])
    sure.dispose()
  })

  test('every row is attacked as if it were alone', async () => {
    const rows = [
      [0.6, 0.4],
      [0.2, 0.9],
      [0.5, 0.5],
    ]
    const together = await attack(rows, away(0, 1, 0), { epsilon: 0.1, norm: 'l2' })
    for (const [i, label] of [0, 1, 0].entries())
      expectRows(await attack([rows[i]!], away(label), { epsilon: 0.1, norm: 'l2' }), [together[i]!])
  })

  test('leaves x untouched and reports its one step', async () => {
    const x = tf.tensor([[0.6, 0.4]])
    const steps: number[][] = []
    const { adversarial } = await fgsm(
      model,
      x,
      away(0),
      {},
      { seed: 1, onStep: (done, total) => steps.push([done, total]) },
    )
    expect([...(await x.data())]).toEqual([...Float32Array.of(0.6, 0.4)])
    expect(steps).toEqual([[1, 1]])
    tf.dispose([x, adversarial])
  })

  test('every option moves the result', async () => {
    const base = await attack([[0.6, 0.4]], away(0), { epsilon: 0.1, norm: 'linf' })
    expect(await attack([[0.6, 0.4]], away(0), { epsilon: 0.2, norm: 'linf' })).not.toEqual(base)
    expect(await attack([[0.6, 0.4]], away(0), { epsilon: 0.1, norm: 'l2' })).not.toEqual(base)
    expect(entry.parameters.map(({ name }) => name)).toEqual(['epsilon', 'norm'])
    expect(await attack([[0.6, 0.4]], away(0), {})).toEqual(
      await attack([[0.6, 0.4]], away(0), entry.defaults as FgsmOptions),
    )
  })

  test.each([
    ['a negative epsilon', { epsilon: -0.1 }, /fgsm: epsilon must be at least 0; got -0\.1/],
    ['NaN', { epsilon: NaN }, /epsilon must be a finite number; got NaN/],
    ['an infinite epsilon', { epsilon: Infinity }, /epsilon must be a finite number/],
    [
      'text for a number',
      { epsilon: '0.1' as unknown as number },
      /epsilon must be a finite number; got "0\.1"/,
    ],
    ['an unknown norm', { norm: 'l7' as 'l2' }, /norm must be one of "linf", "l2"; got "l7"/],
    [
      'an option it does not have',
      { steps: 3 } as Partial<FgsmOptions>,
      /no option "steps", so it would have no effect; the options are epsilon, norm/,
    ],
  ])('refuses %s', async (_, options, message) => {
    const x = tf.tensor([[0.6, 0.4]])
    await expect(fgsm(model, x, away(0), options, { seed: 1 })).rejects.toThrow(message)
    x.dispose()
  })

  test.each([
    [
      'too few labels',
      [
        [0.6, 0.4],
        [0, 1],
      ],
      away(0),
      /one class for each of the 2 rows of x; got 1/,
    ],
    [
      'a label that is no class',
      [[0.6, 0.4]],
      away(2),
      /labels\[0\] must be a whole number from 0 to 1; got 2/,
    ],
    ['a target that is no class', [[0.6, 0.4]], towards(-1), /targets\[0\] must be/],
    ['rows of another width', [[0.6, 0.4, 0.2]], away(0), /x must have shape \(N, 2\); got \(1, 3\)/],
  ])('refuses %s', async (_, rows, criterion, message) => {
    const x = tf.tensor(rows)
    await expect(fgsm(model, x, criterion, {}, { seed: 1 })).rejects.toThrow(message)
    x.dispose()
  })

  test('stops before it begins when it is cancelled', async () => {
    const x = tf.tensor([[0.6, 0.4]])
    await expect(fgsm(model, x, away(0), {}, { seed: 1, signal: AbortSignal.abort() })).rejects.toMatchObject(
      { code: 'cancelled' },
    )
    x.dispose()
  })

  test('stays inside budget and bounds, finite, and gives the same bytes twice', async () => {
    const unit = fc.float({ min: 0, max: 1, noNaN: true })
    const weight = fc.float({ min: -4, max: 4, noNaN: true })
    await fc.assert(
      fc.asyncProperty(
        fc.array(weight, { minLength: 12, maxLength: 12 }),
        fc.array(fc.array(unit, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
        unit,
        fc.constantFrom('linf' as const, 'l2' as const),
        fc.boolean(),
        async (kernel, rows, epsilon, norm, targeted) => {
          const victim = linearModel(4, 3, kernel)
          const classes = rows.map((_, i) => i % 3)
          const criterion = targeted ? towards(...classes) : away(...classes)
          const got = await attack(rows, criterion, { epsilon, norm }, victim)
          const again = await attack(rows, criterion, { epsilon, norm }, victim)
          victim.dispose()
          expect(again).toEqual(got)
          for (const [i, row] of got.entries()) {
            const delta = row.map((value, j) => value - rows[i]![j]!)
            const size = norm === 'linf' ? Math.max(...delta.map(Math.abs)) : Math.hypot(...delta)
            expect(size).toBeLessThanOrEqual(epsilon + 1e-6)
            for (const value of row) expect(value >= 0 && value <= 1).toBe(true)
          }
        },
      ),
      { numRuns: runs(40) },
    )
  })

  test('more budget is no worse on a linear model', async () => {
    const victim = linearModel(3, 2, [2, -1, -1, 1, 0.5, -2])
    let last = -Infinity
    for (const epsilon of [0, 0.05, 0.1, 0.2, 0.4]) {
      const [row] = await attack([[0.5, 0.5, 0.5]], away(0), { epsilon, norm: 'linf' }, victim)
      const x = tf.tensor([row!])
      const { loss, gradient } = await victim.lossAndGradient(x, [0])
      const [value] = await loss.data()
      expect(value!).toBeGreaterThanOrEqual(last)
      last = value!
      tf.dispose([x, loss, gradient])
    }
    victim.dispose()
  })
})
