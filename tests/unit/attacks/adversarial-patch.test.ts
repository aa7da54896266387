import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Options } from '../../../src/attacks/attack.ts'
import { adversarialPatch, entry, trainPatch } from '../../../src/attacks/evasion/adversarial-patch.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import type { WhiteBoxAccess } from '../../../src/core/classifier.ts'
import type { Criterion } from '../../../src/core/criteria.ts'
import { createRng } from '../../../src/core/rng.ts'
import type { RunContext } from '../../../src/core/run.ts'
import * as tf from '../../../src/core/tf.ts'
import type { Model } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { runs } from '../../helpers/runs.ts'
import { away, towards } from './contract.ts'

const [height, width] = [6, 6]
const still = { rotation: 0, scale: 0, shift: 0, light: 0 }
const quick: Options = { ...still, side: 2, steps: 12, batch: 4 }

/** Two classes; z₁ is the picture times `weights`, z₀ is 0. */
function pictureModel(weights: ArrayLike<number>): Model {
  const kernel = new Float32Array(2 * weights.length)
  for (let i = 0; i < weights.length; i++) kernel[2 * i + 1] = weights[i]!
  return createModel(
    {
      name: 'picture',
      inputShape: [height, width, 1],
      numClasses: 2,
      bounds: [0, 1],
      classes: ['a', 'b'],
      layers: [{ type: 'flatten' }, { type: 'dense', units: 2 }],
    },
    [
      { name: 'dense/kernel', shape: [height * width, 2], values: kernel },
      { name: 'dense/bias', shape: [2], values: new Float32Array(2) },
    ],
  )
}

describe.each(['cpu', 'wasm'] as const)('adversarial-patch on %s', (backend) => {
  let victim: Model
  /** Weights that grow from left to right: −1 at the left edge, 1 at the right. */
  const slope = Float32Array.from({ length: 36 }, (_, i) => ((i % 6) - 2.5) / 2.5)
  let x: tf.Tensor
  let before = 0
  beforeAll(async () => {
    await startBackend(backend, readStatic)
    victim = pictureModel(slope)
    const rng = createRng(1)
    x = tf.tensor(
      Float32Array.from({ length: 72 }, () => rng.uniform()),
      [2, 6, 6, 1],
    )
  })
  afterAll(() => {
    victim.dispose()
    x.dispose()
  })
  beforeEach(() => void (before = tf.memory().numTensors))
  afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

  const attack = async (
    options: Options = quick,
    criterion: Criterion = towards(1, 1),
    given: { victim?: WhiteBoxAccess; x?: tf.Tensor; run?: RunContext } = {},
  ) => {
    const { adversarial, trace } = await adversarialPatch(
      given.victim ?? victim,
      given.x ?? x,
      criterion,
      options as never,
      given.run ?? { seed: 1 },
    )
    const values = Float32Array.from(await adversarial.data())
    adversarial.dispose()
    return { values, trace }
  }
  const patch = async (options: Options, criterion: Criterion = towards(1, 1), seed = 1) =>
    trainPatch(victim, x, criterion, options as never, { seed })

  test('by hand: white where the target gains, black where it loses, and nothing beside the sticker', async () => {
    // Columns 2 and 3 of the picture weigh −0.2 and 0.2.
    const { pixels, shape } = await patch({ ...quick, steps: 30 })
    expect(shape).toEqual([2, 2, 1])
    expect([...pixels]).toEqual([0, 1, 0, 1])
    const { values } = await attack({ ...quick, steps: 30 })
    const original = await x.data()
    for (let row = 0; row < 2; row++)
      for (let i = 0; i < 36; i++) {
        const [v, u] = [Math.floor(i / 6) - 2, (i % 6) - 2]
        const inside = v >= 0 && v < 2 && u >= 0 && u < 2
        expect(values[36 * row + i]).toBe(inside ? u : original[36 * row + i])
      }
  })

  test('away from a label is the other way round', async () => {
    expect([...(await patch({ ...quick, steps: 30 }, away(1, 1))).pixels]).toEqual([1, 0, 1, 0])
  })

  test('trains for the spot: left of the middle both columns lose', async () => {
    expect([...(await patch({ ...quick, steps: 30, right: -2 })).pixels]).toEqual([0, 0, 0, 0])
    expect([...(await patch({ ...quick, steps: 30, right: 2, down: 1 })).pixels]).toEqual([1, 1, 1, 1])
  })

  test('expects what it trains for: turned over by up to 180°, no pixel has a side of its own', async () => {
    const apart = ({ pixels }: { pixels: Float32Array }) => Math.abs(pixels[1]! - pixels[0]!)
    expect(apart(await patch({ ...quick, steps: 60 }))).toBe(1)
    expect(
      apart(await patch({ ...quick, steps: 60, batch: 64, rotation: 180, stepSize: 0.01 })),
    ).toBeLessThan(0.5)
  })

  test('the loss falls, and the trace tells each step', async () => {
    const { trace } = await patch({ ...quick, side: 4, steps: 40, shift: 1, light: 0.3 })
    expect(trace.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, i) => i))
    const mean = (from: number, to: number) =>
      trace.slice(from, to).reduce((sum, { values }) => sum + values.loss!, 0) / (to - from)
    expect(mean(30, 40)).toBeLessThan(mean(0, 5) - 0.2)
  })

  test('stays within the bounds, finite, and gives the same bytes twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 36, maxLength: 36 }),
        fc.integer({ min: 0, max: 1e6 }),
        async (weights, seed) => {
          const other = pictureModel(weights)
          const options = { side: 3, steps: 4, batch: 3, rotation: 40, scale: 0.3, shift: 2, light: 0.4 }
          const given = { victim: other, run: { seed } }
          const { values } = await attack(options, towards(0, 1), given)
          expect((await attack(options, towards(0, 1), given)).values).toEqual(values)
          for (const value of values) expect(value >= 0 && value <= 1 + 1e-6, `${value}`).toBe(true)
          other.dispose()
        },
      ),
      { numRuns: runs(6) },
    )
  })

  test.each<[string, Options]>([
    ['side', { side: 3 }],
    ['steps', { steps: 5 }],
    ['stepSize', { stepSize: 0.02 }],
    ['batch', { batch: 1 }],
    ['rotation', { rotation: 40 }],
    ['scale', { scale: 0.4 }],
    ['shift', { shift: 2 }],
    ['light', { light: 0.4 }],
    ['right', { right: 1 }],
    ['down', { down: 1 }],
  ])('%s moves the result', async (_, option) => {
    // On weights without a symmetry, from a start that does not saturate.
    const rng = createRng(9)
    const other = pictureModel(Float32Array.from({ length: 36 }, () => 2 * rng.uniform() - 1))
    const options = { ...quick, stepSize: 0.03, batch: 2 }
    const given = { victim: other }
    expect((await attack({ ...options, ...option }, towards(1, 1), given)).values).not.toEqual(
      (await attack(options, towards(1, 1), given)).values,
    )
    other.dispose()
  })

  test('every parameter is among those', () => {
    expect(entry.parameters.map(({ name }) => name)).toEqual([
      'side',
      'steps',
      'stepSize',
      'batch',
      'rotation',
      'scale',
      'shift',
      'light',
      'right',
      'down',
    ])
  })

  test('a victim without a gradient leaves the sticker grey', async () => {
    const flat = pictureModel(new Float32Array(36))
    const { pixels } = await trainPatch(flat, x, towards(1, 1), quick as never, { seed: 1 })
    expect([...pixels]).toEqual([0.5, 0.5, 0.5, 0.5])
    flat.dispose()
  })

  test('takes no pictures, one, and a thousand', async () => {
    for (const count of [0, 1, 1000]) {
      const many = tf.fill([count, 6, 6, 1], 0.25)
      const criterion = towards(...new Array<number>(count).fill(1))
      const { values } = await attack({ ...quick, steps: 2 }, criterion, { x: many })
      expect(values).toHaveLength(36 * count)
      many.dispose()
    }
  })

  test('black and white pictures, misread already or read as their target, are pasted over like any other', async () => {
    const plain = tf.tensor(
      Float32Array.from({ length: 72 }, (_, i) => Number(i >= 36)),
      [2, 6, 6, 1],
    )
    const read = [...(await victim.predict(plain))]
    for (const criterion of [towards(...read), away(...read.map((label) => 1 - label))]) {
      const { values } = await attack(quick, criterion, { x: plain })
      expect(values.every((value) => value >= 0 && value <= 1)).toBe(true)
      // The middle is the sticker's, the corners are the picture's.
      expect([values[0], values[36]]).toEqual([0, 1])
    }
    plain.dispose()
  })

  test('leaves x untouched and reports its steps in order', async () => {
    const kept = Float32Array.from(await x.data())
    const steps: number[] = []
    await attack(quick, towards(1, 1), {
      run: { seed: 1, onStep: (done, total) => (expect(total).toBe(12), steps.push(done)) },
    })
    expect(steps).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
    expect(Float32Array.from(await x.data())).toEqual(kept)
  })

  test('runs the same where every answer takes a turn of the loop', async () => {
    const far: WhiteBoxAccess = {
      inputShape: victim.inputShape,
      numClasses: victim.numClasses,
      bounds: victim.bounds,
      logits: (given) => victim.logits(given),
      vjp: (given, cotangent) => victim.vjp(given, cotangent),
      lossAndGradient: async (...given) => {
        await new Promise((resolve) => setTimeout(resolve, 0))
        return victim.lossAndGradient(...given)
      },
    }
    expect((await attack(quick, towards(1, 1), { victim: far })).values).toEqual((await attack()).values)
  })

  test('stops before it begins and between steps when it is cancelled, and leaks nothing', async () => {
    const control = new AbortController()
    const cancelled = { code: 'cancelled' }
    await expect(
      attack(quick, towards(1, 1), { run: { seed: 1, signal: AbortSignal.abort() } }),
    ).rejects.toMatchObject(cancelled)
    await expect(
      attack(quick, towards(1, 1), {
        run: { seed: 1, signal: control.signal, onStep: () => control.abort() },
      }),
    ).rejects.toMatchObject(cancelled)
  })

  test('leaks nothing when the victim fails', async () => {
    const failing = { ...victim, lossAndGradient: () => Promise.reject(new Error('gone')) }
    await expect(attack(quick, towards(1, 1), { victim: failing })).rejects.toThrow('gone')
  })

  test.each<[string, Options, RegExp]>([
    ['a side of 0', { side: 0 }, /side must be a whole number of at least 1; got 0/],
    ['half a pixel', { side: 2.5 }, /side must be a whole number/],
    ['a sticker larger than the picture', { side: 7 }, /must fit on a picture of 6 × 6; got side 7/],
    ['no step', { steps: 0 }, /steps must be a whole number of at least 1/],
    ['a step of 0', { stepSize: 0 }, /stepSize must be positive; got 0/],
    ['no pictures a step', { batch: 0 }, /batch must be a whole number of at least 1/],
    ['a negative rotation', { rotation: -1 }, /rotation must be at least 0/],
    ['a scale to nothing', { scale: 1 }, /scale must be at least 0 and below 1; got 1/],
    ['NaN', { shift: NaN }, /shift must be a finite number; got NaN/],
    ['an option it does not have', { epsilon: 0.1 }, /no option "epsilon", so it would have no effect/],
  ])('refuses %s', async (_, options, message) => {
    await expect(attack({ ...quick, ...options })).rejects.toThrow(message)
  })

  test('refuses what is no picture, labels that do not fit, and a class that is none', async () => {
    const flat = { ...victim, inputShape: [36] } as unknown as WhiteBoxAccess
    await expect(attack(quick, towards(1, 1), { victim: flat })).rejects.toThrow(
      /needs pictures of \(height, width, channels\); the victim's inputs are \(36\)/,
    )
    await expect(attack(quick, towards(1))).rejects.toThrow(/one class for each of the 2 rows of x; got 1/)
    await expect(attack(quick, towards(1, 2))).rejects.toThrow(
      /targets\[1\] must be a whole number from 0 to 1/,
    )
    const { inputShape, bounds } = victim
    const one = { ...victim, inputShape, bounds, numClasses: 1 } as unknown as WhiteBoxAccess
    await expect(attack(quick, towards(0, 0), { victim: one })).rejects.toThrow(/at least two classes apart/)
  })
})
