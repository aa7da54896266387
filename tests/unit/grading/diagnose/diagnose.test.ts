/** Each fault is shown by a run that has it: a small attack on digits, written wrongly on purpose. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../../../src/cli/node-platform.ts'
import { startBackend } from '../../../../src/core/backends.ts'
import * as tf from '../../../../src/core/tf.ts'
import { loadDataSet } from '../../../../src/data/load.ts'
import type { DataSet } from '../../../../src/data/data-set.ts'
import { createCapabilities } from '../../../../src/engine/capabilities.ts'
import type { WireTensor } from '../../../../src/engine/capability-protocol.ts'
import { longStep } from '../../../../src/grading/diagnose/budget.ts'
import { diagnose, examineRun } from '../../../../src/grading/diagnose/diagnose.ts'
import { collapsedTraining } from '../../../../src/grading/diagnose/training.ts'
import { measureExamples, type BudgetNorm } from '../../../../src/grading/evasion.ts'
import type { Task } from '../../../../src/grading/grader.ts'
import { correctlyRead } from '../../../../src/grading/sampling.ts'
import { loadModel } from '../../../../src/models/load.ts'
import type { Model } from '../../../../src/models/model.ts'
import { createModel } from '../../../../src/models/network.ts'

const limit = 0.2
const images = 20

let dataset: DataSet
let digits: Model
let task: Task
beforeAll(async () => {
  await startBackend('wasm', readStatic)
  dataset = await loadDataSet('mnist10k', readStatic)
  digits = await loadModel('digits-cnn', readStatic)
  const sample = await correctlyRead({ model: digits, dataset, split: 'test', seed: 7, count: images })
  task = {
    victim: { model: 'digits-cnn' },
    dataset: 'mnist10k',
    split: 'test',
    ...sample,
    values: { epsilon: limit },
  }
})
afterAll(() => digits.dispose())

type Ask = (x: Float32Array, y: number[]) => Promise<Float32Array>
type Attack = (ask: Ask, x: Float32Array, y: number[]) => Promise<Float32Array>

/** Runs an attack as the engine would, and measures what it hands in. */
async function runOf(
  attack: Attack,
  {
    model = digits,
    norm = 'linf' as BudgetNorm,
    target = undefined as number | undefined,
    size = limit,
  } = {},
) {
  const spec = { access: ['victim', 'data'], maxQueries: 100_000, seconds: 60 }
  const server = createCapabilities({ model, dataset, task, spec, seed: 1 })
  const shape = [images, ...digits.inputShape]
  const originals = dataset.test.pixels(task.ids)
  const ask: Ask = async (x, y) => {
    const answer = (await server.call('victim.lossAndGradient', [
      { shape, dtype: 'float32', values: x },
      y,
    ])) as {
      gradient: WireTensor
    }
    return answer.gradient.values as Float32Array
  }
  const pixels = await attack(ask, originals, [...task.labels])
  const ledger = server.summary()
  server.close()
  const measured = await measureExamples({
    task,
    examples: { kind: 'adversarial-examples', ids: task.ids, shape, pixels },
    model,
    dataset,
    limit: size,
    norm,
    ...(target === undefined ? {} : { target }),
  })
  return { measured, ledger, model, target }
}

async function findingOf(attack: Attack, options: Parameters<typeof runOf>[1] = {}) {
  const { measured, ledger, model, target } = await runOf(attack, options)
  return diagnose(measured, model, { ledger, target })
}

const clip = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))
/** Steps along the sign; `pull` says what becomes of a pixel that was at `from`. */
const steps =
  (
    count: number,
    size: number,
    pull: (to: number, from: number) => number,
    labels = (y: number[]) => y,
  ): Attack =>
  async (ask, x, y) => {
    let at = x
    for (let i = 0; i < count; i++) {
      const gradient = await ask(at, labels(y))
      at = at.map((pixel, j) => pull(pixel + size * Math.sign(gradient[j]!), x[j]!))
    }
    return at
  }
const project = (to: number, from: number) => clip(clip(to, from - limit, from + limit), 0, 1)

describe('a right attack', () => {
  test('has none of the faults', async () => {
    expect(await findingOf(steps(5, limit / 3, project))).toBeUndefined()
  })
})

describe('what the pixels give away', () => {
  test('images in 0..255', async () => {
    const grey: Attack = async (_, x) => x.map((pixel) => 255 * pixel)
    expect(await findingOf(grey)).toMatchObject({ id: 'grey-levels', cause: expect.stringContaining('255') })
  })

  test('a model that was asked in 0..255, told from the run alone', async () => {
    const grey: Attack = async (ask, x, y) => {
      const gradient = await ask(
        x.map((pixel) => 255 * pixel),
        y,
      )
      return x.map((pixel, i) => clip(pixel + limit * Math.sign(gradient[i]!) * 0.9, 0, 1))
    }
    expect(await findingOf(grey)).toMatchObject({
      id: 'grey-levels',
      title: expect.stringContaining('asked'),
    })
  })

  test('pixels outside [0, 1]', async () => {
    const unclipped = steps(5, limit / 3, (to, from) => clip(to, from - limit, from + limit))
    expect((await findingOf(unclipped))?.id).toBe('not-clipped')
  })
})

describe('how the budget was used', () => {
  test('no projection: it says at which step the ball was left', async () => {
    const free = steps(6, 0.1, (to) => clip(to, 0, 1))
    const finding = await findingOf(free)
    expect(finding).toMatchObject({
      id: 'epsilon-exceeded',
      cause: expect.stringContaining('at step 3 of 6'),
    })
    expect(finding!.next).toContain('after each step')
  })

  test('an L2 ball is left in its own norm', async () => {
    const free = steps(3, 0.1, (to) => clip(to, 0, 1))
    expect(await findingOf(free, { norm: 'l2', size: 1.5 })).toMatchObject({
      id: 'epsilon-exceeded',
      cause: expect.stringContaining('ε is 1.5'),
    })
  })

  test('steps too small to reach the ball: it names their number and size', async () => {
    const finding = await findingOf(steps(10, limit / 400, project))
    expect(finding).toMatchObject({ id: 'tiny-step', cause: expect.stringContaining('10 steps of 5.0e-4') })
  })

  test('steps longer than ε are told as harmless, and are no fault', async () => {
    const { measured, ledger } = await runOf(steps(20, 2 * limit, project))
    expect(measured.hits).toBeGreaterThanOrEqual(0.8 * images)
    const run = await examineRun(measured, digits, { ledger })
    expect(longStep(run)).toMatchObject({ id: 'long-step', title: expect.stringContaining('no fault') })
    expect(await diagnose(measured, digits, { ledger })).toBeUndefined()
    const short = await runOf(steps(10, limit / 4, project))
    expect(longStep(await examineRun(short.measured, digits, { ledger: short.ledger }))).toBeUndefined()
  })
})

describe('which way it went', () => {
  test('descending, in one step and in many', async () => {
    expect((await findingOf(steps(1, -limit, project)))?.id).toBe('descended')
    expect((await findingOf(steps(8, -limit / 4, project)))?.id).toBe('descended')
  })

  test('the loss of one class for all, and of a neighbour', async () => {
    expect((await findingOf(steps(1, limit, project, (y) => y.map(() => 4))))?.id).toBe('fixed-class')
    expect((await findingOf(steps(1, limit, project, (y) => y.map((k) => (k + 1) % 10))))?.id).toBe(
      'shifted-labels',
    )
  })

  test('a target climbed, missed and mistaken', async () => {
    const all = (k: number) => (y: number[]) => y.map(() => k)
    expect((await findingOf(steps(1, limit, project, all(3)), { target: 3 }))?.id).toBe('climbed-the-target')
    expect((await findingOf(steps(1, limit, project), { target: 3 }))?.id).toBe('untargeted-instead')
    expect((await findingOf(steps(1, -limit, project, all(5)), { target: 3 }))?.id).toBe('wrong-target')
  })

  test('the slope itself instead of its sign', async () => {
    const raw: Attack = async (ask, x, y) => {
      const gradient = await ask(x, y)
      const steepest = gradient.reduce((most, slope) => Math.max(most, Math.abs(slope)), 0)
      return x.map((pixel, i) => clip(pixel + (limit * gradient[i]!) / steepest, 0, 1))
    }
    expect((await findingOf(raw))?.id).toBe('no-sign')
  })

  test('no direction, and no change', async () => {
    const coin: Attack = async (_, x) =>
      x.map((pixel, i) => clip(pixel + ((i * 7919) % 13 < 6 ? limit : -limit), 0, 1))
    expect((await findingOf(coin))?.id).toBe('random-direction')
    expect((await findingOf(async (_, x) => x.slice()))?.id).toBe('unchanged')
  })
})

describe('whether there was a slope', () => {
  const withModel = async (model: Model) => findingOf(steps(3, limit / 2, project), { model })

  test('a gradient that is zero everywhere', async () => {
    const rounded: Model = {
      ...digits,
      async lossAndGradient(x, y, loss) {
        const answer = await digits.lossAndGradient(x, y, loss)
        answer.gradient.dispose()
        return { loss: answer.loss, gradient: tf.zerosLike(x) }
      },
    }
    // Nothing to follow leaves the picture as it is, so move it a little without a reason.
    const nudged: Attack = async (ask, x, y) => {
      await ask(x, y)
      return x.map((pixel) => clip(pixel + 0.15, 0, 1))
    }
    expect((await findingOf(nudged, { model: rounded }))?.id).toBe('zero-gradient')
  })

  test('a gradient that is masked by confidence', async () => {
    const weights = await digits.weights()
    const last = weights.at(-1)!.name.split('/')[0]!
    const sure = createModel(
      digits.architecture,
      weights.map((weight) =>
        weight.name.startsWith(last)
          ? { ...weight, values: weight.values.map((value) => 1000 * value) }
          : weight,
      ),
    )
    const finding = await withModel(sure)
    sure.dispose()
    expect(finding?.id).toBe('masked-gradient')
  })

  test('probabilities handed out as scores', async () => {
    const softened: Model = {
      ...digits,
      async logitsArray(x) {
        const logits = await digits.logits(x)
        const soft = tf.softmax(logits)
        const values = Float32Array.from(await soft.data())
        tf.dispose([logits, soft])
        return values
      },
    }
    expect(await findingOf(steps(1, limit / 8, project), { model: softened })).toMatchObject({
      id: 'softmax-logits',
      cause: expect.stringContaining('1.46'),
    })
  })
})

describe('training that collapsed', () => {
  const point = (step: number, loss: number, fgsm: number, pgd: number) => ({
    step,
    loss,
    testAccuracy: 0.97,
    fgsmAccuracy: fgsm,
    pgdAccuracy: pgd,
  })
  test('is told from its curve: stuck at a guess, or overfitted to one step', () => {
    expect(
      collapsedTraining([point(10, 2.31, 0.1, 0.1), point(20, 2.3, 0.1, 0.1), point(30, 2.3, 0.1, 0.1)], 10),
    ).toMatchObject({
      id: 'stuck-training',
      cause: expect.stringContaining('2.3'),
    })
    expect(collapsedTraining([point(10, 1, 0.5, 0.4), point(20, 0.5, 0.8, 0.05)], 10)?.id).toBe(
      'catastrophic-overfitting',
    )
    expect(collapsedTraining([point(10, 1, 0.5, 0.4), point(20, 0.5, 0.8, 0.7)], 10)).toBeUndefined()
  })
})
