import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Criterion } from '../../../src/core/criteria.ts'
import { entry, fgsm, type FgsmOptions } from '../../../src/attacks/evasion/fgsm.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import type { Model } from '../../../src/models/model.ts'
import { attackContract, away, towards } from './contract.ts'
import { linearModel } from './linear.ts'

/**
 * Two inputs, two classes, logits z = (x₀, x₁). For a point labelled 0 the gradient of the cross-entropy is
 * (p₀ − 1, p₁) = (−p₁, p₁): less of x₀, more of x₁.
 */
const identity = [1, 0, 0, 1]

attackContract(
  {
    entry,
    quick: { epsilon: 0.1, norm: 'linf' },
    moves: { epsilon: { to: 0.2 }, norm: { to: 'l2' } },
    oneStep: true,
  },
  () => {},
)

describe.each(['cpu', 'wasm'] as const)('fgsm by hand on %s', (backend) => {
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

  test('reports its one step', async () => {
    const x = tf.tensor([[0.6, 0.4]])
    const steps: number[][] = []
    const { adversarial } = await fgsm(
      model,
      x,
      away(0),
      {},
      { seed: 1, onStep: (done, total) => steps.push([done, total]) },
    )
    expect(steps).toEqual([[1, 1]])
    tf.dispose([x, adversarial])
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
