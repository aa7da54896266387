import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import type { DataSet, Split } from '../../../src/data/data-set.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import { accuracy, recallByClass } from '../../../src/models/accuracy.ts'
import { recipe } from '../../../src/models/architectures.ts'
import type { Architecture } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { createTrainer } from '../../../src/models/trainer.ts'
import { createBreath, oneCycle, train, type TrainOptions } from '../../../src/models/train.ts'
import { initialWeights, serializeWeights } from '../../../src/models/weights.ts'

const { architecture } = recipe('digits-cnn')
let data: DataSet
beforeAll(async () => {
  await startBackend('wasm', readStatic)
  data = await loadDataSet('mnist10k', readStatic)
})

let before = 0
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors).toBe(before))

const firstOf = (split: Split, count: number): Split => ({
  ...split,
  count,
  labels: split.labels.slice(0, count),
})

const options = (changes: Partial<TrainOptions> = {}): TrainOptions => ({
  architecture,
  weights: initialWeights(architecture, 1),
  data: firstOf(data.train, 128),
  epochs: 2,
  batchSize: 32,
  learningRate: 4e-3,
  ...changes,
})

describe('train', () => {
  it('learns: one pass over 2,000 digits reads most of the test digits', async () => {
    const { weights, history } = await train(options({ data: firstOf(data.train, 2000), epochs: 1 }), {
      seed: 1,
    })
    const model = createModel(architecture, weights)
    // 88 % measured; 10 % is guessing.
    expect(await accuracy(model, data.test)).toBeGreaterThan(0.75)
    expect(history.at(-1)!.loss).toBeLessThan(history[0]!.loss / 2)
    const recall = await recallByClass(model, data.test)
    expect(recall.map(({ count }) => count)).toEqual(new Array(10).fill(200))
    const right = recall.reduce((sum, { right }) => sum + right, 0)
    expect(right / 2000).toBe(await accuracy(model, data.test))
    model.dispose()
  })

  it('gives the same bytes for the same seed, and others for another', async () => {
    const bytes = async (seed: number) =>
      Buffer.from(serializeWeights(architecture, (await train(options(), { seed })).weights)).toString(
        'base64',
      )
    const first = await bytes(1)
    expect((await bytes(1)) === first).toBe(true)
    expect((await bytes(2)) === first).toBe(false)
  })

  it('leaves the weights that it was given untouched', async () => {
    const weights = initialWeights(architecture, 1)
    await train(options({ weights, epochs: 0.5 }), { seed: 1 })
    expect(weights[0]!.values).toEqual(initialWeights(architecture, 1)[0]!.values)
  })

  it('hands over the weights so far, with a last reading, when it is told to finish', async () => {
    const control = new AbortController()
    const told: number[] = []
    const { weights, history } = await train(
      options({ finish: control.signal, evaluate: async () => ({ asked: 1 }), readLossEvery: 100 }),
      {
        seed: 1,
        onStep: (done) => {
          told.push(done)
          if (done === 2) control.abort()
        },
      },
    )
    expect(told).toEqual([1, 2, 3])
    expect(history).toEqual([{ step: 3, loss: expect.any(Number), asked: 1 }])
    expect(weights[0]!.values).not.toEqual(initialWeights(architecture, 1)[0]!.values)
  })

  it('tells every step, with the loss and the figures asked for', async () => {
    const seen: [number, number, Record<string, number> | undefined][] = []
    let asked = 0
    const { history } = await train(
      options({
        readLossEvery: 3,
        evaluateEvery: 4,
        evaluate: async (model) => ({
          asked: ++asked,
          accuracy: await accuracy(model, data.test, [0, 1, 2, 3]),
        }),
      }),
      { seed: 1, onStep: (done, total, values) => void seen.push([done, total, values]) },
    )
    expect(seen.map(([done, total]) => [done, total])).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].map((done) => [done, 8]),
    )
    expect(history.map(({ step }) => step)).toEqual([3, 4, 6, 8])
    expect(history.map(({ asked }) => asked)).toEqual([undefined, 1, undefined, 2])
    expect(seen[3]![2]).toEqual({ loss: history[1]!.loss, asked: 1, accuracy: history[1]!.accuracy })
    expect(seen[0]![2]).toBeUndefined()
  })

  it('stops between steps when cancelled, and leaks nothing', async () => {
    const controller = new AbortController()
    const stopped = train(options({ epochs: 100 }), {
      seed: 1,
      signal: controller.signal,
      onStep: (done) => done === 3 && controller.abort(),
    })
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('lets a cancel in while it works', async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 50)
    const stopped = train(options({ epochs: 10_000 }), { seed: 1, signal: controller.signal })
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('trains on what the adversarial hook makes, and frees it', async () => {
    const plain = await train(options({ epochs: 0.5 }), { seed: 1 })
    const seenBy: number[] = []
    const adversarial: TrainOptions['adversarial'] = async (model, x, y, run) => {
      seenBy.push(run.seed)
      const { loss, gradient } = await model.lossAndGradient(x, y)
      const attacked = tf.tidy(() => tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), 0.2)), 0, 1))
      tf.dispose([loss, gradient])
      return attacked
    }
    const hardened = await train(options({ epochs: 0.5, adversarial }), { seed: 1 })
    expect(new Set(seenBy).size).toBe(2)
    expect(hardened.weights[0]!.values).not.toEqual(plain.weights[0]!.values)
    const untouched = await train(options({ epochs: 0.5, adversarial: async (_model, x) => x }), { seed: 1 })
    expect(untouched.weights[0]!.values).toEqual(plain.weights[0]!.values)
    const broken = train(options({ adversarial: () => Promise.reject(new Error('no')) }), { seed: 1 })
    await expect(broken).rejects.toThrow('no')
  })

  it('trains towards probabilities instead of labels, the same way as towards labels when they are certain', async () => {
    const set = firstOf(data.train, 128)
    const rows = Array.from({ length: 128 }, (_, i) => i)
    const certain = Float32Array.from(
      rows.flatMap((i) => Array.from({ length: 10 }, (_, k) => Number(k === set.labels[i]))),
    )
    const byLabel = await train(options(), { seed: 1 })
    // Labels of nonsense: with targets nobody looks at them.
    const byTarget = await train(
      options({ data: { ...set, labels: new Uint8Array(128) }, targets: certain }),
      { seed: 1 },
    )
    byTarget.weights.forEach(({ values }, i) =>
      values.forEach((value, j) => expect(value).toBeCloseTo(byLabel.weights[i]!.values[j]!, 3)),
    )
    const even = await train(options({ targets: new Float32Array(1280).fill(0.1), epochs: 10 }), { seed: 1 })
    const model = createModel(architecture, even.weights)
    const x = data.test.images([0, 1, 2])
    const logits = await model.logitsArray(x)
    tf.dispose(x)
    model.dispose()
    for (let row = 0; row < 3; row++) {
      const own = logits.slice(10 * row, 10 * row + 10)
      expect(Math.max(...own) - Math.min(...own)).toBeLessThan(2)
    }
  })

  it.each<[string, (count: number) => Partial<TrainOptions>, RegExp]>([
    [
      'too few',
      () => ({ targets: new Float32Array(5) }),
      /targets must hold 1280 probabilities, one a row and class; got 5/,
    ],
    [
      'NaN',
      (n) => ({ targets: new Float32Array(10 * n).fill(NaN) }),
      /probabilities from 0 to 1, without NaN/,
    ],
    [
      'targets beside an adversary',
      (n) => ({ targets: new Float32Array(10 * n), adversarial: async (_, x) => x }),
      /targets would have no effect beside adversarial/,
    ],
  ])('refuses targets: %s', async (_, wrong, message) => {
    await expect(train(options(wrong(128)), { seed: 1 })).rejects.toThrow(message)
  })

  it('refuses images in 0..255, NaN, and options that make no sense', async () => {
    const scaled = (factor: number): Split => {
      const split = firstOf(data.train, 64)
      return { ...split, pixels: (ids) => split.pixels(ids).map((value) => value * factor) }
    }
    const refuse = (changes: Partial<TrainOptions>, why: string) =>
      expect(train(options(changes), { seed: 1 })).rejects.toThrow(why)
    await refuse({ data: scaled(255) }, 'Are the images in 0..255? Divide by 255')
    await refuse({ data: scaled(Number.NaN) }, 'pixels must lie in [0, 1]; got NaN')
    await refuse({ epochs: 0 }, 'train: epochs must be positive; got 0')
    await refuse({ batchSize: 2.5 }, 'batchSize must be a whole number above 0; got 2.5')
    await refuse({ learningRate: Number.NaN }, 'learningRate must be positive; got NaN')
    await refuse({ data: firstOf(data.train, 0) }, 'the data set is empty')
    await refuse({ weights: [] }, 'weight conv1/kernel is missing')
    await refuse({ learningRate: 1e38 }, 'the loss is NaN after')
  })
})

describe('trainer', () => {
  const linear: Architecture = {
    name: 'linear',
    inputShape: [1],
    numClasses: 2,
    bounds: [0, 1],
    classes: ['a', 'b'],
    layers: [{ type: 'dense', units: 2 }],
  }
  const zero = [
    { name: 'dense/kernel', shape: [1, 2], values: new Float32Array(2) },
    { name: 'dense/bias', shape: [2], values: new Float32Array(2) },
  ]

  it("takes Adam's steps, worked by hand", async () => {
    const trainer = createTrainer(linear, zero)
    const x = tf.tensor2d([[0.5], [0.5]])
    // Both scores equal: loss ln 2, gradient by the bias (½ − 1, ½) for class 0, so Adam's first step is ±rate.
    const loss = trainer.step(x, [0, 0], 0.1)
    expect((await loss.data())[0]).toBeCloseTo(Math.log(2), 6)
    const [kernel, bias] = await trainer.weights()
    for (const weight of [kernel!, bias!]) {
      expect(weight.values[0]).toBeCloseTo(0.1, 5)
      expect(weight.values[1]).toBeCloseTo(-0.1, 5)
    }
    // Second step: scores ±0.15, so p = σ(0.3) and the bias gradient is p − 1.
    const second = trainer.step(x, [0, 0], 0.1)
    const [first, next] = [-0.5, 1 / (1 + Math.exp(-0.3)) - 1]
    const mean = (0.9 * 0.1 * first + 0.1 * next) / (1 - 0.81)
    const variance = (0.999 * 0.001 * first ** 2 + 0.001 * next ** 2) / (1 - 0.999 ** 2)
    const [, moved] = await trainer.weights()
    expect(moved!.values[0]).toBeCloseTo(0.1 - (0.1 * mean) / Math.sqrt(variance), 5)
    expect(trainer.steps).toBe(2)
    tf.dispose([x, loss, second])
    trainer.dispose()
  })

  it('shows its newest weights through its model', async () => {
    const trainer = createTrainer(linear, zero)
    const x = tf.tensor2d([[1]])
    const [early] = await trainer.model.logitsArray(x)
    trainer.step(x, [0], 0.1).dispose()
    const [late] = await trainer.model.logitsArray(x)
    expect(early).toBe(0)
    expect(late).toBeCloseTo(0.2, 5)
    x.dispose()
    trainer.dispose()
  })

  it('refuses a batch that does not fit', () => {
    const trainer = createTrainer(linear, zero)
    const [wide, empty, fine] = [tf.zeros([2, 2]), tf.zeros([0, 1]), tf.zeros([2, 1])]
    expect(() => trainer.step(wide, [0, 0], 0.1)).toThrow('train step: expected x of shape [N,1], got [2,2]')
    expect(() => trainer.step(empty, [], 0.1)).toThrow('got [0,1]')
    expect(() => trainer.step(fine, [0, 2], 0.1)).toThrow('y[1]: expected a class from 0 to 1, got 2')
    tf.dispose([wide, empty, fine])
    trainer.dispose()
  })
})

describe('createBreath', () => {
  /** Steps between waits, when handing a step over takes 1 ms and the device needs `stepMs` for it. */
  const waits = (stepMs: number, steps: number) => {
    let [time, deviceFree] = [0, 0]
    const breath = createBreath(() => time)
    const at: number[] = []
    for (let step = 1; step <= steps; step++) {
      time += 1
      deviceFree = Math.max(deviceFree, time) + stepMs
      if (!breath.isDue()) continue
      time = Math.max(time, deviceFree)
      at.push(step)
    }
    return at
  }

  it('waits after every step of a slow device, and seldom for a fast one', () => {
    expect(waits(500, 5)).toEqual([1, 2, 3, 4, 5])
    expect(waits(20, 9)).toEqual([1, 3, 5, 7, 9])
    const fast = waits(0.5, 400)
    expect(fast.length).toBeLessThan(20)
    expect(fast.length).toBeGreaterThan(5)
  })
})

describe('oneCycle', () => {
  it('climbs to the peak at 30 % and falls to almost nothing', () => {
    const rate = oneCycle(1, 100)
    const rates = Array.from({ length: 100 }, (_, step) => rate(step))
    expect(rates[0]).toBeCloseTo(1 / 25 + 0.96 / 30, 6)
    expect(Math.max(...rates)).toBe(1)
    expect(rates.indexOf(1)).toBe(29)
    expect(rates[99]).toBeCloseTo(1 / 70, 6)
    for (let i = 1; i < 100; i++)
      expect(i <= 29 ? rates[i]! > rates[i - 1]! : rates[i]! <= rates[i - 1]!).toBe(true)
    expect(oneCycle(1, 1)(0)).toBe(1)
  })
})
