import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import type { DataSet, Split } from '../../../src/data/data-set.ts'
import { harden, height, type HardenOptions } from '../../../src/defences/training/harden.ts'
import { accuracyUnderFgsm, accuracyUnderPgd } from '../../../src/defences/training/readings.ts'
import { collectRecipes, findRecipe, trainingRecipes } from '../../../src/defences/training/registry.ts'
import { tradesLoss } from '../../../src/defences/training/trades.ts'
import type { Architecture } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { createTrainer } from '../../../src/models/trainer.ts'
import { initialWeights } from '../../../src/models/weights.ts'

/**
 * Two classes told apart by one strong input (0.5 ± 0.3) and by ten weak ones (0.5 ± 0.05): the weak ones
 * together are tempting, and a step of 0.1 turns them all (Tsipras et al. 2019).
 */
function temptingData(count: number, seed: number): Split {
  const rng = createRng(seed)
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 2)
  const rows = Float32Array.from({ length: count * 11 }, (_, i) => {
    const sign = labels[Math.floor(i / 11)] ? 1 : -1
    return 0.5 + sign * (i % 11 === 0 ? 0.3 : 0.05) + 0.02 * rng.normal()
  })
  const pixels = (ids: ArrayLike<number>) =>
    Float32Array.from({ length: ids.length * 11 }, (_, i) => rows[ids[Math.floor(i / 11)]! * 11 + (i % 11)]!)
  return { count, labels, pixels, images: (ids) => tf.tensor(pixels(ids), [ids.length, 11]) }
}

const architecture: Architecture = {
  name: 'linear',
  inputShape: [11],
  numClasses: 2,
  bounds: [0, 1],
  classes: ['0', '1'],
  layers: [{ type: 'dense', units: 2 }],
}
const dataset: DataSet = {
  name: 'tempting',
  shape: [11] as unknown as DataSet['shape'],
  classes: ['0', '1'],
  noun: 'image',
  train: temptingData(200, 1),
  test: temptingData(100, 2),
}
const base: HardenOptions = {
  recipe: findRecipe('fgsm-training'),
  options: { epsilon: 0.1, share: 1 },
  architecture,
  weights: initialWeights(architecture, 4),
  dataset,
  epochs: 12,
  batchSize: 20,
  learningRate: 0.1,
  readings: 0,
}
/** Recipes that train on attacked images; others have tests of their own. */
const recipes = ['fast-training', 'fgsm-training', 'pgd-training', 'trades']
const ids = Array.from({ length: 100 }, (_, i) => i)

let before = 0
beforeAll(() => startBackend('cpu', readStatic))
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

const weightsOf = async (change: Partial<HardenOptions>, seed = 5) => {
  const { weights } = await harden({ ...base, ...change }, { seed })
  return weights.map(({ values }) => [...values])
}

describe('every recipe', () => {
  test('there are those of Goodfellow, Madry, Wong and Zhang', () => {
    expect([...trainingRecipes.keys()]).toEqual(expect.arrayContaining(recipes))
  })

  async function robustness(change: Partial<HardenOptions>, epsilon = 0.2): Promise<[number, number]> {
    const { weights } = await harden({ ...base, ...change }, { seed: 5 })
    const model = createModel(architecture, weights)
    const run = { seed: 0 }
    const kept = await accuracyUnderFgsm(model, dataset.test, ids, epsilon, run)
    const keptMore = await accuracyUnderPgd(model, dataset.test, ids, { epsilon, steps: 10 }, run)
    model.dispose()
    return [kept, keptMore]
  }

  test.each(recipes)(
    '%s holds where ordinary training falls: it leaves the tempting inputs alone',
    async (id) => {
      const [ordinary] = await robustness({ options: { share: 0 } })
      const options = { epsilon: 0.2, ...(id === 'fgsm-training' ? { share: 1 } : {}) }
      const [fgsm, pgd] = await robustness({ recipe: findRecipe(id), options })
      expect(fgsm).toBeGreaterThan(0.9)
      expect(fgsm).toBeGreaterThan(ordinary + 0.2)
      expect(pgd).toBeGreaterThan(0.9)
    },
  )

  test.each(recipes)('%s: the same seed gives the same weights, and every knob changes them', async (id) => {
    const recipe = findRecipe(id)
    // On a linear model every number of steps ends in the same corner of the ball.
    const bent: Architecture = {
      ...architecture,
      layers: [
        { type: 'dense', units: 6, activation: 'relu' },
        { type: 'dense', units: 2 },
      ],
    }
    const change = {
      recipe,
      architecture: bent,
      weights: initialWeights(bent, 4),
      options: { epsilon: 0.3 },
      epochs: 1,
    }
    const first = await weightsOf(change)
    expect(await weightsOf(change)).toEqual(first)
    expect(await weightsOf(change, 6)).not.toEqual(first)
    for (const [knob, value] of Object.entries(recipe.defaults)) {
      const turned = knob === 'steps' ? value + 2 : value / 2 + 0.05
      expect(await weightsOf({ ...change, options: { epsilon: 0.3, [knob]: turned } }), knob).not.toEqual(
        first,
      )
    }
  })

  test.each(recipes)(
    '%s: a cancel between steps leaves nothing behind, and a finish keeps the weights',
    async (id) => {
      const cancel = new AbortController()
      const stopAt = (control: AbortController) => (done: number) => done === 3 && control.abort()
      const settings = { ...base, recipe: findRecipe(id), options: {} }
      const run = { seed: 5, signal: cancel.signal, onStep: stopAt(cancel) as never }
      await expect(harden(settings, run)).rejects.toMatchObject({ code: 'cancelled' })
      const finish = new AbortController()
      const { weights, history } = await harden(
        { ...settings, finish: finish.signal },
        { seed: 5, onStep: stopAt(finish) as never },
      )
      expect(history.at(-1)!.step).toBe(4)
      expect(history.at(-1)!.cleanAccuracy).toBeGreaterThan(0)
      expect(weights).toHaveLength(2)
    },
  )

  test.each(recipes)('%s with ε 0 is ordinary training', async (id) => {
    const ordinary = await weightsOf({ options: { share: 0 }, epochs: 1 })
    expect(await weightsOf({ recipe: findRecipe(id), options: { epsilon: 0 }, epochs: 1 })).toEqual(ordinary)
  })

  test('a ramp begins at 0, rises in a straight line and stays', () => {
    expect([0, 5, 10, 20, 99].map((step) => height(0.2, step, 100))).toEqual([0, 0.25, 0.5, 1, 1])
    expect([0, 50].map((step) => height(0, step, 100))).toEqual([1, 1])
  })

  test('the ramp reaches the recipe as the present ε', async () => {
    const seen: number[] = []
    const recipe = findRecipe('pgd-training')
    const spy = {
      ...recipe,
      prepare: (...args: Parameters<typeof recipe.prepare>) => (
        seen.push(args[3].epsilon),
        recipe.prepare(...args)
      ),
    }
    await harden({ ...base, recipe: spy, options: { epsilon: 0.2, ramp: 0.5 }, epochs: 1 }, { seed: 5 })
    // Ten steps; the first is at 0 and needs no attack.
    expect(seen.map((epsilon) => Number(epsilon.toFixed(3)))).toEqual([
      0.04,
      0.08,
      0.12,
      0.16,
      ...Array(5).fill(0.2),
    ])
  })

  test('training on a part of the images draws it by the seed', async () => {
    const part = await weightsOf({ images: 100, epochs: 1 })
    expect(await weightsOf({ images: 100, epochs: 1 })).toEqual(part)
    expect(part).not.toEqual(await weightsOf({ epochs: 1 }))
  })

  test('epochs, rate and batch size change the weights', async () => {
    const first = await weightsOf({ epochs: 1 })
    for (const change of [{ epochs: 2 }, { epochs: 1, learningRate: 0.05 }, { epochs: 1, batchSize: 50 }])
      expect(await weightsOf(change)).not.toEqual(first)
  })

  test.each([
    ['fgsm-training', { share: -0.1 }, /share must be from 0 to 1; got -0\.1/],
    ['fgsm-training', { share: 2 }, /share must be from 0 to 1; got 2/],
    ['pgd-training', { epsilon: NaN }, /epsilon must be a finite number; got NaN/],
    ['pgd-training', { epsilon: -1 }, /epsilon must be at least 0; got -1/],
    ['pgd-training', { ramp: 1.5 }, /ramp must be from 0 to 1; got 1\.5/],
    ['pgd-training', { steps: 0 }, /steps must be a whole number of at least 1; got 0/],
    ['pgd-training', { reach: 0 }, /reach must be positive; got 0/],
    ['pgd-training', { share: 1 }, /there is no option "share", so it would have no effect/],
    ['fast-training', { stepShare: -1 }, /stepShare must be positive; got -1/],
    ['trades', { beta: -1 }, /beta must be at least 0; got -1/],
  ])('%s refuses %j', async (id, options, message) => {
    await expect(harden({ ...base, recipe: findRecipe(id), options }, { seed: 5 })).rejects.toThrow(message)
  })

  test('a strength beyond the pictures, one class and a batch of one image do no harm', async () => {
    for (const id of recipes) {
      const recipe = findRecipe(id)
      const weights = await weightsOf({ recipe, options: { epsilon: 2 }, images: 5, batchSize: 1, epochs: 1 })
      expect(weights.flat().every(Number.isFinite)).toBe(true)
      const oneClass = { ...dataset, train: { ...dataset.train, labels: new Uint8Array(200) } }
      const same = await weightsOf({ recipe, options: {}, dataset: oneClass, epochs: 1 })
      expect(same.flat().every(Number.isFinite)).toBe(true)
    }
  })
})

describe('readings', () => {
  const recipe = findRecipe('pgd-training')

  test('come as often as asked and at the end, PGD only when asked', async () => {
    const settings = { ...base, recipe, options: {}, epochs: 4, readings: 4, pgdSteps: 5 }
    const { history } = await harden(settings, { seed: 5 })
    const read = history.filter(({ cleanAccuracy }) => cleanAccuracy !== undefined)
    expect(read.map(({ step }) => step)).toEqual([10, 20, 30, 40])
    for (const { cleanAccuracy, fgsmAccuracy, pgdAccuracy } of read) {
      expect(fgsmAccuracy).toBeLessThanOrEqual(cleanAccuracy!)
      // On a linear model one long step is already the best there is.
      expect(pgdAccuracy).toBe(fgsmAccuracy)
    }
    const last = await harden({ ...settings, readings: 0, pgdSteps: 0 }, { seed: 5 })
    const [only, ...more] = last.history.filter(({ cleanAccuracy }) => cleanAccuracy !== undefined)
    expect(more).toEqual([])
    expect(only!.pgdAccuracy).toBeUndefined()
  })

  test('leave the training as it is', async () => {
    const change = { recipe, options: {}, epochs: 2 }
    expect(await weightsOf({ ...change, readings: 5, pgdSteps: 3 })).toEqual(await weightsOf(change))
  })

  test('under ε 0 are the clean accuracy', async () => {
    const model = createModel(architecture, initialWeights(architecture, 4))
    const run = { seed: 0 }
    const [fgsm, pgd] = [
      await accuracyUnderFgsm(model, dataset.test, ids, 0, run),
      await accuracyUnderPgd(model, dataset.test, ids, { epsilon: 0, steps: 3 }, run),
    ]
    model.dispose()
    expect(fgsm).toBe(pgd)
  })
})

describe('the loss of TRADES', () => {
  const logits = [
    [1, -0.5, 0.2],
    [0.3, 0.3, -1],
    [0.8, 0.1, 0.4],
    [-0.2, 0.9, 0.1],
  ]
  const y = [0, 1]
  const beta = 2

  function byHand(z: number[][]): number {
    const softmax = (row: number[]) => {
      const sum = row.reduce((total, value) => total + Math.exp(value), 0)
      return row.map((value) => Math.exp(value) / sum)
    }
    const [p, q] = [z.slice(0, 2).map(softmax), z.slice(2).map(softmax)]
    const right = p.reduce((sum, row, i) => sum - Math.log(row[y[i]!]!), 0) / 2
    const apart =
      p.reduce((sum, row, i) => sum + row.reduce((s, pk, k) => s + pk * Math.log(pk / q[i]![k]!), 0), 0) / 2
    return right + beta * apart
  }

  test('is cross-entropy plus β times the divergence', async () => {
    const loss = tf.tidy(() => tradesLoss(tf.tensor2d(logits), y, beta))
    expect((await loss.data())[0]).toBeCloseTo(byHand(logits), 5)
    loss.dispose()
  })

  test('has the gradient that finite differences find, for clean and moved rows', async () => {
    const gradient = tf.tidy(() => tf.grad((z) => tradesLoss(z as tf.Tensor2D, y, beta))(tf.tensor2d(logits)))
    const found = (await gradient.array()) as number[][]
    gradient.dispose()
    const h = 1e-5
    logits.forEach((row, i) =>
      row.forEach((_, k) => {
        const moved = (by: number) =>
          logits.map((other, r) => other.map((v, c) => (r === i && c === k ? v + by : v)))
        expect(found[i]![k]).toBeCloseTo((byHand(moved(h)) - byHand(moved(-h))) / (2 * h), 4)
      }),
    )
  })

  test('reaches the weights: a training step goes down it, on WASM as on CPU', async () => {
    const x = tf.tensor2d(
      Array.from({ length: 4 * 11 }, (_, i) => (i % 7) / 7),
      [4, 11],
    )
    const trainer = createTrainer(architecture, initialWeights(architecture, 4))
    const losses: number[] = []
    for (let step = 0; step < 20; step++) {
      const loss = trainer.stepOn(x, (z) => tradesLoss(z, y, beta), 0.05)
      losses.push((await loss.data())[0]!)
      loss.dispose()
    }
    trainer.dispose()
    x.dispose()
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.05)
  })
})

test.each(['fast-training', 'pgd-training'])(
  '%s begins at a random point of the ball, another with each seed',
  async (id) => {
    // Without a slope nothing moves but the start.
    const flat = initialWeights(architecture, 4).map((weight) => ({
      ...weight,
      values: new Float32Array(weight.values.length),
    }))
    const model = createModel(architecture, flat)
    const recipe = findRecipe(id)
    const x = tf.fill([2, 11], 0.5)
    const batch = async (seed: number) => {
      const options = { ...recipe.defaults, epsilon: 0.1 }
      const made = await recipe.prepare(model, x, [0, 1], options, { seed, step: 0, total: 1 })
      const values = [...(await (made as tf.Tensor).data())]
      ;(made as tf.Tensor).dispose()
      return values
    }
    const first = await batch(1)
    expect(new Set(first).size).toBeGreaterThan(20)
    for (const value of first) expect(Math.abs(value - 0.5)).toBeLessThanOrEqual(0.1 + 1e-6)
    expect(await batch(1)).toEqual(first)
    expect(await batch(2)).not.toEqual(first)
    x.dispose()
    model.dispose()
  },
)

describe('the batch of TRADES', () => {
  test('is the images, and below them each moved by ε to where the answer changes most', async () => {
    const model = createModel(architecture, initialWeights(architecture, 4))
    const x = tf.fill([3, 11], 0.5)
    const options = { epsilon: 0.1, ramp: 0, steps: 10, reach: 2.5, beta: 6 }
    const run = { seed: 1, step: 0, total: 1 }
    const made = await findRecipe('trades').prepare(model, x, [0, 1, 0], options, run)
    const batch = (made as { x: tf.Tensor }).x
    const rows = (await batch.array()) as number[][]
    expect(rows).toHaveLength(6)
    expect(rows.slice(0, 3).flat()).toEqual(new Array(33).fill(0.5))
    // Of a linear model the farthest answer lies in a corner of the ball, whichever way it began.
    for (const value of rows.slice(3).flat()) expect(Math.abs(value - 0.5)).toBeCloseTo(0.1, 5)
    const logits = (await model.logits(batch)) as tf.Tensor2D
    const lead = ((await logits.array()) as number[][]).map(([a, b]) => a! - b!)
    const weights = (await model.weights())[0]!.values
    const reach =
      0.1 *
      Array.from({ length: 11 }, (_, i) => Math.abs(weights[2 * i]! - weights[2 * i + 1]!)).reduce(
        (a, b) => a + b,
        0,
      )
    for (let i = 0; i < 3; i++) expect(Math.abs(lead[3 + i]! - lead[i]!)).toBeCloseTo(reach, 4)
    tf.dispose([x, batch, logits])
    model.dispose()
  })
})

describe('the registry', () => {
  const recipe = findRecipe('trades')

  test('names what is wrong with a file', () => {
    expect(() => collectRecipes({ './other.ts': { entry: recipe } })).toThrow(
      './other.ts: the recipe\'s id must be the file\'s name, "other"; got "trades"',
    )
    const strange = { ...recipe, defaults: { ...recipe.defaults, gamma: 1 } }
    expect(() => collectRecipes({ './trades.ts': { entry: strange } })).toThrow(
      'the default "gamma" has no parameter',
    )
    const bare = { ...recipe, defaults: { epsilon: 0.1, ramp: 0 } }
    expect(() => collectRecipes({ './trades.ts': { entry: bare } })).toThrow(
      'the parameter "steps" has no default',
    )
    expect(collectRecipes({ './knobs.ts': {} }).size).toBe(0)
  })

  test('says which recipes there are', () => {
    expect(() => findRecipe('free')).toThrow(
      'no training recipe "free"; the recipes are fast-training, fgsm-training',
    )
  })
})
