import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import * as tf from '../../../src/core/tf.ts'
import { abstain } from '../../../src/defences/certification/certificate.ts'
import * as smoothing from '../../../src/defences/certification/randomised-smoothing.ts'
import { method as attackSmoothed } from '../../../src/engine/methods/attack-smoothed.ts'
import { method as certify, type CertifyParams } from '../../../src/engine/methods/certify.ts'
import { method as trainingBaseline } from '../../../src/engine/methods/training-baseline.ts'
import type { CallContext } from '../../../src/engine/protocol.ts'
import { createWorkshop } from '../../../src/engine/workshop.ts'

/** The real thing: shipped digits and their network, on WASM. */
const workshop = createWorkshop({ role: 'engine', fetchBytes: readStatic, emit: () => {} })
const quiet: CallContext = { signal: new AbortController().signal, progress: () => {} }
const model = { model: 'digits-cnn' }
const images = { dataset: 'mnist10k', split: 'test' as const, ids: [0, 1, 2, 3, 4, 5] }
const noise = { sigma: 0.25, n0: 8, n: 60, alpha: 0.01 }

/** The same images as the method gets them, for calls past the engine. */
async function tensorOfImages(): Promise<{ x: tf.Tensor; labels: number[] }> {
  const { test: split } = await workshop.dataset('mnist10k')
  return { x: split.images(images.ids), labels: images.ids.map((id) => split.labels[id]!) }
}
/** Stops at the first sign of progress. */
function stopper(): CallContext & { told: number } {
  const control = new AbortController()
  const context = {
    told: 0,
    signal: control.signal,
    progress() {
      context.told++
      control.abort()
    },
  }
  return context
}

let tensors = 0
beforeAll(async () => {
  await workshop.start('wasm')
  await workshop.model('digits-cnn')
})
beforeEach(() => void (tensors = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(tensors))

describe('certify', () => {
  const run = (own: Partial<CertifyParams> = {}, context = quiet) =>
    certify.run({ model, images, ...noise, seed: 3, ...own }, context, workshop)

  test('gives the certificates that the defence gives, with the labels', async () => {
    const { x, labels } = await tensorOfImages()
    const wanted = await smoothing.certify(await workshop.model('digits-cnn'), x, noise, { seed: 3 })
    x.dispose()
    const made = await run()
    expect(made.certificates).toEqual(wanted)
    expect([...made.labels]).toEqual(labels)
    expect(made).not.toHaveProperty('look')
    expect((await run({ seed: 4 })).certificates).not.toEqual(wanted)
  })

  test('a look shows copies of the image asked for under that very noise, and what is read in each', async () => {
    const { test: split } = await workshop.dataset('mnist10k')
    const { look } = await run({ n0: 1, n: 1, look: { row: 2, copies: 5 } })
    expect(look).toMatchObject({ row: 2, shape: [5, 28, 28, 1] })
    const original = split.pixels([2])
    const added = look!.pixels.map((pixel, i) => pixel - original[i % original.length]!)
    const mean = added.reduce((sum, value) => sum + value, 0) / added.length
    const deviation = Math.sqrt(added.reduce((sum, value) => sum + (value - mean) ** 2, 0) / added.length)
    // 3,920 draws: 0.25/√3920 = 0.004 about the mean, 0.0028 about the deviation; five times that.
    expect(Math.abs(mean)).toBeLessThan(0.02)
    expect(Math.abs(deviation - 0.25)).toBeLessThan(0.014)
    expect(added.subarray(0, 784)).not.toEqual(added.subarray(784, 1568))
    const x = tf.tensor(look!.pixels, look!.shape)
    expect(look!.read).toEqual(await (await workshop.model('digits-cnn')).predict(x))
    x.dispose()
  })

  test('hands the pixels of a look over instead of copying them', async () => {
    const made = await run({ n0: 1, n: 1, look: { row: 0, copies: 1 } })
    expect(certify.transfer!(made)).toEqual([made.look!.pixels.buffer])
    const bare = await run({ n0: 1, n: 1 })
    expect(certify.transfer!(bare)).toEqual([])
  })

  test.each<[Partial<CertifyParams>, RegExp]>([
    [{ sigma: 0 }, /sigma must be above 0; got 0/],
    [{ n: 0 }, /n must be a whole number of at least 1; got 0/],
    [{ alpha: 1 }, /alpha must lie between 0 and 1; got 1/],
    [{ look: { row: 6, copies: 1 } }, /look\.row must be from 0 to 5; got 6/],
    [{ look: { row: -1, copies: 1 } }, /look\.row must be from 0 to 5; got -1/],
    [{ look: { row: 0, copies: 0 } }, /look\.copies must be from 1 to 256; got 0/],
  ])('refuses %j', async (own, message) => {
    await expect(run(own)).rejects.toThrow(message)
  })

  test('tells how far it is and stops when it is told to', async () => {
    const told: number[] = []
    await run({}, { ...quiet, progress: (done, total) => told.push(done / total) })
    expect(told.at(-1)).toBe(1)
    const context = stopper()
    await expect(run({ n: 600 }, context)).rejects.toMatchObject({ code: 'cancelled' })
    expect(context.told).toBe(1)
  })
})

describe('attack-smoothed', () => {
  const params = { model, images, sigma: 0.25, n: 60, alpha: 0.01, radii: [0.5], seed: 5 }
  const run = (own: Partial<typeof params> = {}, context = quiet) =>
    attackSmoothed.run({ ...params, ...own }, context, workshop)

  test('with hardly any room it counts what the vote says of the images as they are', async () => {
    const { x, labels } = await tensorOfImages()
    // Votes are drawn from the seed after the attack's.
    const read = await smoothing.predict(await workshop.model('digits-cnn'), x, params, {
      seed: params.seed + 1,
    })
    x.dispose()
    const [point] = (await run({ radii: [1e-7] })).points
    expect(point).toEqual({
      radius: 1e-7,
      misread: read.filter((answer, i) => answer !== abstain && answer !== labels[i]).length,
      undecided: read.filter((answer) => answer === abstain).length,
      count: 6,
    })
  })

  test('a longer attack costs more right votes, until none is left', async () => {
    const { points } = await run({ radii: [0.2, 6] })
    const right = points.map(({ misread, undecided, count }) => count - misread - undecided)
    expect(right[0]).toBeGreaterThanOrEqual(5)
    expect(right[1]).toBe(0)
    expect(points[1]!.misread).toBeGreaterThanOrEqual(4)
    expect(points.map(({ radius }) => radius)).toEqual([0.2, 6])
  })

  test('a single vote settles nothing, and that is not a misreading', async () => {
    expect((await run({ n: 1 })).points).toEqual([{ radius: 0.5, misread: 0, undecided: 6, count: 6 }])
  })

  test.each<[Partial<typeof params>, RegExp]>([
    [{ radii: [-1] }, /pgd: epsilon must be at least 0; got -1/],
    [{ radii: [0] }, /pgd: stepSize must be positive; got 0/],
    [{ n: 0 }, /n must be a whole number of at least 1; got 0/],
    [{ alpha: 0 }, /alpha must lie between 0 and 1; got 0/],
  ])('refuses %j', async (own, message) => {
    await expect(run(own)).rejects.toThrow(message)
  })

  test('tells how far it is over all lengths, and stops when it is told to', async () => {
    const told: [number, number][] = []
    await run({ radii: [0.1, 0.2], n: 8 }, { ...quiet, progress: (done, total) => told.push([done, total]) })
    expect(told.map(([done]) => done)).toEqual(told.map(([done]) => done).sort((a, b) => a - b))
    expect(told.every(([, total]) => total === 2)).toBe(true)
    expect(told.at(-1)![0]).toBeCloseTo(2, 10)
    expect(told.some(([done]) => done < 1) && told.some(([done]) => done > 1 && done < 2)).toBe(true)
    const context = stopper()
    await expect(run({}, context)).rejects.toMatchObject({ code: 'cancelled' })
    expect(context.told).toBe(1)
  })
})

describe('training-baseline', () => {
  const run = (own: object = {}) =>
    trainingBaseline.run(
      {
        model: 'digits-cnn',
        dataset: 'mnist10k',
        recipe: 'noise-training',
        options: { epsilon: 0.5 },
        ...own,
      } as Parameters<typeof trainingBaseline.run>[0],
      quiet,
      workshop,
    )

  test('reads the shipped model as the recipe reads it while it trains', async () => {
    const { test: split } = await workshop.dataset('mnist10k')
    const network = await workshop.model('digits-cnn')
    const ids = Array.from({ length: 200 }, (_, i) => i)
    const x = split.images(ids)
    const read = await network.predict(x)
    x.dispose()
    const clean = read.filter((answer, i) => answer === split.labels[i]).length / 200
    const figures = await run()
    expect(figures.cleanAccuracy).toBeCloseTo(clean, 10)
    expect(Object.keys(figures).sort()).toEqual(['cleanAccuracy', 'noisyAccuracy'])
    expect(figures.noisyAccuracy).toBeLessThan(clean)
    expect((await run({ options: { epsilon: 0.05 } })).noisyAccuracy).toBeGreaterThan(figures.noisyAccuracy!)
  })

  test('of a recipe without a figure of its own it tells accuracy under attack', async () => {
    const figures = await run({ recipe: 'fgsm-training', options: { epsilon: 0.25 } })
    expect(figures.cleanAccuracy).toBeGreaterThan(0.95)
    expect(figures.fgsmAccuracy).toBeLessThan(0.5)
  })

  test.each([
    [{ recipe: 'noise' }, /no training recipe "noise"/],
    [{ options: { strength: 1 } }, /no option "strength", so it would have no effect/],
    [{ options: { epsilon: NaN } }, /epsilon must be a finite number; got NaN/],
    [{ model: 'none' }, /none/],
  ])('refuses %j', async (own, message) => {
    await expect(run(own)).rejects.toThrow(message)
  })
})
