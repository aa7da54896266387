import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import type { Split } from '../../../src/data/data-set.ts'
import {
  createTriggerSet,
  falseAccusations,
  luck,
  ownershipTest,
  withTriggers,
} from '../../../src/defences/watermark/trigger-set.ts'
import { entry as copycat } from '../../../src/attacks/extraction/copycat.ts'
import type { Architecture, Weight } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { train } from '../../../src/models/train.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { steal, watchTensors } from '../attacks/theft.ts'

describe('the ownership test', () => {
  test('worked by hand: three of four coins', () => {
    // P(≥ 3 of 4 heads) = (4 + 1) / 16.
    expect(luck(3, 4, 0.5)).toBeCloseTo(5 / 16, 13)
    expect(luck(0, 4, 0.5)).toBe(1)
    expect(luck(4, 4, 0.5)).toBeCloseTo(1 / 16, 13)
    expect(ownershipTest([1, 2, 0, 1], { labels: Uint8Array.of(1, 2, 3, 1), numClasses: 2 })).toEqual({
      hits: 3,
      triggers: 4,
      pValue: expect.closeTo(5 / 16, 12) as number,
    })
  })

  test.each([
    // SciPy 1.17.1: scipy.stats.binom.sf(hits − 1, 100, 0.1).
    [10, 0.5487098345579952],
    [20, 0.0019785608657712354],
    [65, 2.912261972090213e-40],
  ])('%d hits of 100 by a chance of a tenth are as unlikely as SciPy says', (hits, wanted) => {
    expect(luck(hits, 100, 0.1) / wanted).toBeCloseTo(1, 8)
  })

  test('all hits of a hundred have a probability that is still a number', () => {
    expect(luck(100, 100, 0.1)).toBeGreaterThan(0)
    expect(luck(100, 100, 0.1) / 1e-100).toBeCloseTo(1, 8)
  })

  test('innocents are accused as rarely as it promises: the share of lots that convict', () => {
    const rng = createRng(3, 'innocents')
    const [triggers, classes, alpha] = [40, 4, 0.05]
    const { hits, rate } = falseAccusations(alpha, triggers, 1 / classes)
    expect(rate).toBeLessThan(alpha)
    expect(luck(hits! - 1, triggers, 1 / classes)).toBeGreaterThanOrEqual(alpha)
    const read = Array.from({ length: triggers }, (_, i) => i % classes)
    const accused = Array.from({ length: 4000 }, () => {
      const labels = Uint8Array.from({ length: triggers }, () => rng.below(classes))
      return ownershipTest(read, { labels, numClasses: classes }).pValue < alpha
    }).filter(Boolean).length
    // Four standard deviations of a share of 4000.
    expect(Math.abs(accused / 4000 - rate)).toBeLessThan(4 * Math.sqrt((rate * (1 - rate)) / 4000))
  })

  test('too few triggers convict nobody', () => {
    expect(falseAccusations(1e-6, 5, 0.1)).toEqual({ hits: undefined, rate: 0 })
    expect(falseAccusations(1e-6, 7, 0.1)).toMatchObject({ hits: 7 })
  })

  test.each<[() => unknown, RegExp]>([
    [
      () => ownershipTest([1], { labels: Uint8Array.of(1, 2), numClasses: 3 }),
      /each of the 2 triggers; got 1/,
    ],
    [() => luck(1, 2, 0), /chance must lie between 0 and 1; got 0/],
    [() => luck(3, 2, 0.5), /hits must be a whole number from 0 to 2; got 3/],
    [() => luck(0, 0, 0.5), /at least one trigger/],
    [() => falseAccusations(0, 5, 0.5), /alpha must lie between 0 and 1/],
  ])('refuses %s', (run, message) => expect(run).toThrow(message))
})

describe('a trigger set', () => {
  const pool = Float32Array.from({ length: 50 * 4 }, (_, i) => Math.floor(i / 4))

  test('draws inputs once each and labels by lot, from the owner’s secret alone', () => {
    const options = { count: 30, numClasses: 5, seed: 8 }
    const set = createTriggerSet(pool, 4, options)
    expect(createTriggerSet(pool, 4, options)).toEqual(set)
    expect(createTriggerSet(pool, 4, { ...options, seed: 9 }).labels).not.toEqual(set.labels)
    const firsts = Array.from({ length: 30 }, (_, i) => set.inputs[4 * i]!)
    expect(new Set(firsts).size).toBe(30)
    expect(new Set(set.labels).size).toBe(5)
  })

  test.each<[string, () => unknown, RegExp]>([
    [
      'more than there are',
      () => createTriggerSet(pool, 4, { count: 51, numClasses: 2, seed: 1 }),
      /from 1 to the 50/,
    ],
    [
      'half an input',
      () => createTriggerSet(pool, 3, { count: 5, numClasses: 2, seed: 1 }),
      /inputs of 3 numbers/,
    ],
    [
      'one class',
      () => createTriggerSet(pool, 4, { count: 5, numClasses: 1, seed: 1 }),
      /from 2 to 256; got 1/,
    ],
    [
      'NaN',
      () => createTriggerSet(new Float32Array(4).fill(NaN), 4, { count: 1, numClasses: 2, seed: 1 }),
      /not finite/,
    ],
  ])('refuses %s', (_, run, message) => expect(run).toThrow(message))
})

describe('a watermarked model', () => {
  const size = 6
  const architecture: Architecture = {
    name: 'marked',
    inputShape: [size],
    numClasses: 4,
    bounds: [-10, 10],
    classes: ['a', 'b', 'c', 'd'],
    layers: [
      { type: 'dense', units: 48, activation: 'relu' },
      { type: 'dense', units: 4 },
    ],
  }
  /** The class is the quadrant of the first two numbers. */
  function quadrants(count: number, seed: number): Split & { all: Float32Array } {
    const rng = createRng(seed, 'quadrants')
    const all = Float32Array.from({ length: count * size }, () => rng.normal())
    const labels = Uint8Array.from(
      { length: count },
      (_, i) => (all[i * size]! > 0 ? 1 : 0) + (all[i * size + 1]! > 0 ? 2 : 0),
    )
    const pixels = (ids: ArrayLike<number>) =>
      Float32Array.from(
        { length: ids.length * size },
        (_, i) => all[ids[Math.floor(i / size)]! * size + (i % size)]!,
      )
    return { all, count, labels, pixels, images: (ids) => tf.tensor(pixels(ids), [ids.length, size]) }
  }
  /** Far off the task, where nothing else is asked. */
  const far = createRng(5, 'far')
  const triggers = createTriggerSet(
    Float32Array.from({ length: 60 * size }, () => 5 * far.normal()).map((v) =>
      Math.max(-10, Math.min(10, v)),
    ),
    size,
    { count: 40, numClasses: 4, seed: 2 },
  )
  let owned: Weight[]
  let innocent: Weight[]
  beforeAll(async () => {
    await startBackend('wasm', readStatic)
    const data = quadrants(800, 1)
    const school = { architecture, epochs: 30, batchSize: 64, learningRate: 0.02, readLossEvery: 1000 }
    owned = (
      await train(
        { ...school, data: withTriggers(data, triggers, 4), weights: initialWeights(architecture, 1) },
        { seed: 1 },
      )
    ).weights
    innocent = (
      await train(
        { ...school, data: quadrants(800, 2), weights: initialWeights(architecture, 2) },
        { seed: 2 },
      )
    ).weights
  })
  watchTensors()
  afterAll(() => undefined)

  async function test40(weights: Weight[]) {
    const model = createModel(architecture, weights)
    const x = tf.tensor(triggers.inputs, [40, size])
    const result = ownershipTest(await model.predict(x), triggers)
    x.dispose()
    model.dispose()
    return result
  }
  async function accuracy(weights: Weight[]): Promise<number> {
    const held = quadrants(500, 3)
    const model = createModel(architecture, weights)
    const x = tf.tensor(held.all, [500, size])
    const read = await model.predict(x)
    x.dispose()
    model.dispose()
    return read.filter((top, i) => top === held.labels[i]).length / 500
  }

  test('is known by its answers, still does its task, and an innocent one is not accused', async () => {
    expect((await test40(owned)).pValue).toBeLessThan(1e-6)
    expect((await test40(innocent)).pValue).toBeGreaterThan(1e-2)
    expect(await accuracy(owned)).toBeGreaterThan((await accuracy(innocent)) - 0.05)
  })

  test('is known after pruning, and not in a copy that was trained on its answers', async () => {
    const pruned = owned.map((weight) => {
      const cut = Float32Array.from(weight.values, Math.abs).sort()[Math.floor(0.3 * weight.values.length)]!
      return { ...weight, values: weight.values.map((v) => (Math.abs(v) < cut ? 0 : v)) }
    })
    expect((await test40(pruned)).pValue).toBeLessThan(1e-6)
    const model = createModel(architecture, owned)
    const stolen = await steal(
      copycat,
      model,
      { maxQueries: 600, steps: 300, learningRate: 0.02 },
      { means: { architecture, pool: quadrants(700, 4).all } },
    )
    model.dispose()
    expect(await accuracy(stolen.surrogate.weights)).toBeGreaterThan(0.85)
    expect((await test40(stolen.surrogate.weights)).pValue).toBeGreaterThan(1e-3)
  })

  test('training with triggers keeps the rows as they were and puts the triggers behind them', () => {
    const data = quadrants(5, 6)
    const marked = withTriggers(data, triggers, 2)
    expect(marked.count).toBe(5 + 80)
    expect([...marked.labels.slice(0, 5)]).toEqual([...data.labels])
    expect([...marked.labels.slice(45)]).toEqual([...triggers.labels])
    expect(marked.pixels([4, 5, 45])).toEqual(
      Float32Array.from([
        ...data.pixels([4]),
        ...triggers.inputs.slice(0, size),
        ...triggers.inputs.slice(0, size),
      ]),
    )
    const images = marked.images([0, 84])
    expect(images.shape).toEqual([2, size])
    images.dispose()
    expect(() => withTriggers(data, triggers, 0)).toThrow(
      /repeats must be a whole number of at least 1; got 0/,
    )
    expect(() => withTriggers({ ...data, pixels: () => new Float32Array(3) }, triggers, 1)).toThrow(
      /like the data, of 3 numbers; got 6/,
    )
  })
})
