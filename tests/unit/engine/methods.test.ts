import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import * as tf from '../../../src/core/tf.ts'
import { methodLoaders } from '../../../src/engine/dispatch.ts'
import { crossEntropies } from '../../../src/metrics/cross-entropy.ts'
import type { method as attackImages } from '../../../src/engine/methods/attack-images.ts'
import type { method as attacksMethod } from '../../../src/engine/methods/attacks.ts'
import type { method as closeRun } from '../../../src/engine/methods/close-run.ts'
import type { method as openRun } from '../../../src/engine/methods/open-run.ts'
import type { method as predict } from '../../../src/engine/methods/predict.ts'
import type { method as report } from '../../../src/engine/methods/report.ts'
import type { method as sweep } from '../../../src/engine/methods/sweep.ts'
import type { method as trainDefence } from '../../../src/engine/methods/train-defence.ts'
import { recipe } from '../../../src/models/architectures.ts'
import { train } from '../../../src/models/train.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import type { Method, ParamsOf, ResultOf } from '../../../src/engine/method.ts'
import type { CallContext } from '../../../src/engine/protocol.ts'
import { createWorkshop } from '../../../src/engine/workshop.ts'
import { everything } from './helpers.ts'

/** The real thing: shipped data and model, on the referee's backend. */
const workshop = createWorkshop({ role: 'engine', fetchBytes: readStatic, emit: () => {} })
const quiet: CallContext = { signal: new AbortController().signal, progress: () => {} }

async function call<M extends Method<never, unknown>>(
  name: string,
  params: ParamsOf<M>,
  context: CallContext = quiet,
): Promise<ResultOf<M>> {
  const method = await methodLoaders[name]!()
  return (await method.run(params, context, workshop)) as ResultOf<M>
}

const model = { model: 'digits-cnn' }
const images = (count: number, from = 0) => ({
  dataset: 'mnist10k',
  split: 'test' as const,
  ids: Array.from({ length: count }, (_, i) => from + i),
})

let tensors = 0
beforeAll(async () => {
  await workshop.start('wasm')
  await workshop.model('digits-cnn')
})
beforeEach(() => void (tensors = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(tensors))

describe('attack-images', () => {
  const attack = { attack: 'fgsm', seed: 1 }

  test('tells all there is to know of an attack, each figure agreeing with the others', async () => {
    const r = await call<typeof attackImages>('attack-images', {
      model,
      images: images(70),
      ...attack,
      options: { epsilon: 0.25 },
    })
    expect(r.shape).toEqual([70, 28, 28, 1])
    expect([r.pixels, r.adversarial, r.delta, r.gradient].map(({ length }) => length)).toEqual(
      new Array(4).fill(70 * 784),
    )
    expect([r.logitsBefore, r.logitsAfter].map(({ length }) => length)).toEqual([700, 700])
    const right = r.readBefore.filter((read, i) => read === r.labels[i]).length
    const fooled = r.readAfter.filter((read, i) => read !== r.labels[i]).length
    expect(right).toBeGreaterThan(65)
    expect(fooled).toBeGreaterThan(50)
    for (let i = 0; i < 70; i++) {
      const row = (values: Float32Array) => values.subarray(i * 784, (i + 1) * 784)
      expect(r.linf[i]).toBeLessThanOrEqual(0.25 + 1e-6)
      expect(r.l2[i]).toBeCloseTo(Math.hypot(...row(r.delta)), 3)
      row(r.adversarial).forEach((value, j) => {
        if (Math.abs(value - (row(r.pixels)[j]! + row(r.delta)[j]!)) > 1e-6)
          throw new Error(`delta disagrees at ${i}, ${j}`)
        if (row(r.delta)[j]! * row(r.gradient)[j]! < 0)
          throw new Error(`step against the gradient at ${i}, ${j}`)
      })
    }
    expect(r.lossAfter.reduce((sum, loss) => sum + loss, 0)).toBeGreaterThan(
      r.lossBefore.reduce((sum, loss) => sum + loss, 0),
    )
    const again = await call<typeof predict>('predict', { ...model, pixels: r.adversarial, shape: r.shape })
    expect(again.read).toEqual(r.readAfter)
  })

  test('takes pixels of the caller’s own, and targets', async () => {
    const blank = { pixels: new Float32Array(2 * 784).fill(0.5), shape: [2, 28, 28, 1], labels: [1, 2] }
    const r = await call<typeof attackImages>('attack-images', {
      model,
      images: blank,
      ...attack,
      options: { epsilon: 0.2 },
      targets: [3, 8],
    })
    expect([...r.lossBefore]).toEqual([...crossEntropies(r.logitsBefore, [3, 8], 10)])
    expect(r.lossAfter[0]).toBeLessThan(r.lossBefore[0]!)
  })

  test('attacks the learner’s own weights when they are given', async () => {
    const shipped = await workshop.weights('digits-cnn')
    const weights = shipped.weights.map((weight) => ({
      ...weight,
      values: weight.values.map((value) => value * 0.5),
    }))
    const own = await call<typeof attackImages>('attack-images', {
      model: { ...model, weights },
      images: images(2),
      ...attack,
      options: {},
    })
    const theirs = await call<typeof attackImages>('attack-images', {
      model,
      images: images(2),
      ...attack,
      options: {},
    })
    expect(own.logitsBefore).not.toEqual(theirs.logitsBefore)
  })

  test.each<[string, object, RegExp]>([
    ['an unknown attack', { attack: 'fgms' }, /no attack "fgms"/],
    ['an option that is not read', { options: { steps: 2 } }, /no option "steps"/],
    ['too few targets', { targets: [1] }, /targets: expected one for each of the 2 images; got 1/],
    ['an id outside the split', { images: { dataset: 'mnist10k', split: 'test', ids: [-1] } }, /no image -1/],
    [
      'no images',
      { images: { dataset: 'mnist10k', split: 'test', ids: [] } },
      /N of at least 1; got \(0, 28, 28, 1\)/,
    ],
    [
      'another shape',
      { images: { pixels: new Float32Array(4), shape: [1, 2, 2, 1], labels: [0] } },
      /the model reads \(N, 28, 28, 1\)/,
    ],
    [
      'too few pixels',
      { images: { pixels: new Float32Array(4), shape: [1, 28, 28, 1], labels: [0] } },
      /needs 784 numbers; got 4/,
    ],
    [
      'NaN',
      { images: { pixels: new Float32Array(784).fill(NaN), shape: [1, 28, 28, 1], labels: [0] } },
      /finite number; got NaN at 0/,
    ],
    [
      'too few labels',
      { images: { pixels: new Float32Array(784), shape: [1, 28, 28, 1], labels: [] } },
      /one label for each of the 1 images; got 0/,
    ],
    ['an unknown model', { model: { model: 'nonsense' } }, /nonsense/],
    ['weights that do not fit', { model: { ...model, weights: [] } }, /weight .* is missing/],
  ])('refuses %s', async (_, change, message) => {
    const params = { model, images: images(2), ...attack, options: {}, ...change }
    await expect(
      call<typeof attackImages>('attack-images', params as ParamsOf<typeof attackImages>),
    ).rejects.toThrow(message)
  })
})

describe('sweep', () => {
  test('gives the share that succeeds at each strength, the same as attacks one by one', async () => {
    const values = [0, 0.1, 0.25]
    const steps: number[][] = []
    const { points } = await call<typeof sweep>(
      'sweep',
      { model, images: images(70), attack: 'fgsm', options: {}, parameter: 'epsilon', values },
      { ...quiet, progress: (done, total) => steps.push([done, total]) },
    )
    expect(points.map(({ value }) => value)).toEqual(values)
    for (const { value, share, low, high } of points) {
      const { readAfter, labels } = await call<typeof attackImages>('attack-images', {
        model,
        images: images(70),
        attack: 'fgsm',
        options: { epsilon: value },
        seed: 0,
      })
      expect(share).toBeCloseTo(readAfter.filter((read, i) => read !== labels[i]).length / 70, 10)
      expect([low, high]).toEqual([share, share])
    }
    expect(points[2]!.share).toBeGreaterThan(points[1]!.share)
    expect(steps.at(-1)).toEqual([6, 6])
  })

  test('counts hits of a target', async () => {
    const { points } = await call<typeof sweep>('sweep', {
      model,
      images: images(20),
      attack: 'fgsm',
      options: {},
      parameter: 'epsilon',
      values: [0, 0.2],
      targets: new Array(20).fill(8) as number[],
    })
    expect(points[0]!.share).toBeLessThan(points[1]!.share)
  })

  test('stops between the steps of one long attack when it is cancelled', async () => {
    const controller = new AbortController()
    let last = 0
    const progress = (done: number) => {
      if (last === 0) setTimeout(() => controller.abort())
      last = done
    }
    const params = { model, images: images(32), attack: 'pgd', options: { steps: 500 }, seed: 1 }
    await expect(
      call<typeof attackImages>('attack-images', params, { signal: controller.signal, progress }),
    ).rejects.toMatchObject({ code: 'cancelled' })
    expect(last).toBeLessThan(32)
  })

  test('stops between two attacks when it is cancelled', async () => {
    const controller = new AbortController()
    const values = Array.from({ length: 50 }, (_, i) => i / 100)
    let done = 0
    const progress = (n: number) => {
      done = n
      if (n === 2) setTimeout(() => controller.abort())
    }
    await expect(
      call<typeof sweep>(
        'sweep',
        { model, images: images(64), attack: 'fgsm', options: {}, parameter: 'epsilon', values },
        { signal: controller.signal, progress },
      ),
    ).rejects.toMatchObject({ code: 'cancelled' })
    expect(done).toBeLessThan(50)
  })

  test.each([
    [{ parameter: 'steps' }, /fgsm has no option "steps"; it has epsilon, norm/],
    [{ values: [] }, /at least one value/],
    [{ values: [-1] }, /epsilon must be at least 0/],
  ])('refuses %j', async (change, message) => {
    await expect(
      call<typeof sweep>('sweep', {
        model,
        images: images(2),
        attack: 'fgsm',
        options: {},
        parameter: 'epsilon',
        values: [0.1],
        ...change,
      }),
    ).rejects.toThrow(message)
  })
})

const fgsmTraining = { model: 'digits-cnn', dataset: 'mnist10k', recipe: 'fgsm-training', seed: 3 }

describe('training', () => {
  test('repairs the shipped model, reporting the curve as it goes', async () => {
    const seen: Record<string, number>[] = []
    const params = { ...fgsmTraining, epochs: 0.2, options: { epsilon: 0.1, share: 1 } }
    const { weights, history } = await call<typeof trainDefence>('train-defence', params, {
      ...quiet,
      progress: (_, __, values) => values && seen.push(values),
    })
    expect(weights.map(({ name }) => name)).toEqual(
      (await workshop.weights('digits-cnn')).weights.map(({ name }) => name),
    )
    expect(seen.length).toBe(history.length)
    const last = history.at(-1)!
    expect(last.cleanAccuracy).toBeGreaterThan(0.9)
    // The shipped model keeps about 60 % of these digits at this strength.
    expect(last.fgsmAccuracy).toBeGreaterThan(0.68)
    expect(Object.keys(history[0]!)).toEqual(expect.arrayContaining(['step', 'loss']))
  })

  test('from scratch and without attack it takes the very steps of npm run train', async () => {
    const { architecture } = await workshop.weights('digits-cnn')
    const { batchSize, learningRate } = recipe('digits-cnn')
    const epochs = 0.05
    const commanded = await train(
      {
        architecture,
        weights: initialWeights(architecture, 7),
        data: (await workshop.dataset('mnist10k')).train,
        epochs,
        batchSize,
        learningRate,
      },
      { seed: 7 },
    )
    const params = { ...fgsmTraining, epochs, options: { epsilon: 0.1, share: 0 }, seed: 7 }
    const live = await call<typeof trainDefence>('train-defence', { ...params, fromScratch: true })
    expect(live.weights).toEqual(commanded.weights)
    const repaired = await call<typeof trainDefence>('train-defence', params)
    expect(repaired.weights).not.toEqual(live.weights)
  })

  test('is cancelled between steps, and leaves nothing behind', async () => {
    const controller = new AbortController()
    const context = { signal: controller.signal, progress: () => controller.abort() }
    const params = { ...fgsmTraining, epochs: 5, options: { epsilon: 0.25, share: 1 } }
    await expect(call<typeof trainDefence>('train-defence', params, context)).rejects.toMatchObject({
      code: 'cancelled',
    })
  })

  test.each([
    [{ options: { share: 1.5 } }, /share must be from 0 to 1; got 1\.5/],
    [{ options: { share: NaN } }, /share must be/],
    [{ options: { epsilon: -1 } }, /epsilon must be at least 0; got -1/],
    [
      { options: { steps: 3 } },
      /there is no option "steps", so it would have no effect; the options are epsilon/,
    ],
    [{ recipe: 'pgd' }, /no training recipe "pgd"; the recipes are fast-training/],
    [{ images: 0 }, /images must be a whole number from 1 to the 8000 training images; got 0/],
    [{ epochs: 0 }, /epochs must be positive; got 0/],
    [{ model: 'none' }, /none/],
  ])('refuses %j', async (change, message) => {
    const params = { ...fgsmTraining, epochs: 0.05, ...change }
    await expect(call<typeof trainDefence>('train-defence', params)).rejects.toThrow(message)
  })
})

describe('runs of learner programs', () => {
  const task = {
    victim: { model: 'digits-cnn' },
    dataset: 'mnist10k',
    split: 'test' as const,
    ids: [3, 1, 4],
    labels: [0, 2, 4],
    values: {},
  }

  async function open(weights?: Awaited<ReturnType<typeof workshop.weights>>['weights']) {
    const { port1, port2 } = new MessageChannel()
    const { runId } = await call<typeof openRun>('open-run', {
      task,
      spec: { ...everything, maxQueries: 5 },
      seed: 9,
      weights,
      port: port1,
    })
    let id = 0
    const ask = (capability: string, ...args: unknown[]) =>
      new Promise<{ value: { x: unknown; values: Float32Array }; error?: { code: string } }>((resolve) => {
        port2.onmessage = ({ data }) => resolve(data as never)
        port2.postMessage({ id: ++id, capability, args })
      })
    return { runId, ask, close: async () => (port2.close(), call<typeof closeRun>('close-run', { runId })) }
  }

  test('ask over the port, and the ledger tells afterwards what was asked', async () => {
    const { ask, close } = await open()
    const { value } = await ask('data.sample', null)
    const { value: logits } = await ask('victim.logits', value.x)
    expect(logits.values).toHaveLength(30)
    expect(await ask('victim.lossAndGradient', value.x, Int32Array.of(0, 2, 4), null)).toMatchObject({
      error: { code: 'budget-spent' },
      ledger: { used: 3, max: 5 },
    })
    expect(await close()).toMatchObject({ rows: { logits: 3 }, calls: 1, refused: 1, maxQueries: 5 })
  })

  test('work on the learner’s own weights, which are freed with the run', async () => {
    const { weights } = await workshop.weights('digits-cnn')
    const shipped = await open()
    const own = await open(
      weights.map((weight) => ({ ...weight, values: weight.values.map((value) => value / 2) })),
    )
    const { value } = await own.ask('data.sample', 1)
    const [theirs, mine] = [
      await shipped.ask('victim.logits', value.x),
      await own.ask('victim.logits', value.x),
    ]
    expect(mine.value.values).not.toEqual(theirs.value.values)
    await own.close()
    await shipped.close()
  })

  test('are closed once', async () => {
    const { runId, close } = await open()
    await close()
    await expect(call<typeof closeRun>('close-run', { runId })).rejects.toThrow(`no run ${runId} is open`)
  })
})

test('report tells the backend and what it holds', async () => {
  expect(await call<typeof report>('report', undefined)).toMatchObject({
    name: 'wasm',
    memory: { tensors: expect.any(Number), bytes: expect.any(Number) },
  })
})

test('attacks tells the page the knobs, as plain data', async () => {
  const infos = await call<typeof attacksMethod>('attacks', undefined)
  expect(structuredClone(infos)).toEqual(infos)
  expect(infos.find(({ id }) => id === 'fgsm')!.parameters.map(({ name }) => name)).toEqual([
    'epsilon',
    'norm',
  ])
  const poisonings = await call<typeof attacksMethod>('attacks', { family: 'poisoning' })
  expect(poisonings.map(({ id }) => id)).toContain('badnets')
  expect(poisonings.map(({ family }) => family)).not.toContain('evasion')
})
