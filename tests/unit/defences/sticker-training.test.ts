import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import { entry, paintSquares } from '../../../src/defences/training/sticker-training.ts'
import { findRecipe } from '../../../src/defences/training/registry.ts'
import type { Model } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'

const size = 8
/** z₁ is the sum of all pixels, z₀ is 0: the loss of class 0 climbs with every pixel. */
function sumModel(): Model {
  const kernel = new Float32Array(2 * size * size)
  for (let i = 0; i < size * size; i++) kernel[2 * i + 1] = 1 / 64
  return createModel(
    {
      name: 'sum',
      inputShape: [size, size, 1],
      numClasses: 2,
      bounds: [0, 1],
      classes: ['a', 'b'],
      layers: [{ type: 'flatten' }, { type: 'dense', units: 2 }],
    },
    [
      { name: 'dense/kernel', shape: [size * size, 2], values: kernel },
      { name: 'dense/bias', shape: [2], values: new Float32Array(2) },
    ],
  )
}

describe('sticker-training', () => {
  let model: Model
  let x: tf.Tensor
  let before = 0
  beforeAll(async () => {
    await startBackend('wasm', readStatic)
    model = sumModel()
    const rng = createRng(1)
    x = tf.tensor(
      Float32Array.from({ length: 6 * size * size }, () => rng.uniform()),
      [6, size, size, 1],
    )
  })
  beforeEach(() => void (before = tf.memory().numTensors))
  afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

  const paint = async (options: object, labels = [0, 0, 0, 1, 1, 1], seed = 1) => {
    const painted = await paintSquares(model, x, labels, options, { seed })
    const values = Float32Array.from(await painted.data())
    painted.dispose()
    return values
  }

  test('paints one square a picture: white where the loss climbs with it, black where it falls', async () => {
    const original = await x.data()
    const values = await paint({ side: 3, steps: 4, reach: 2 })
    for (let row = 0; row < 6; row++) {
      const changed = [...Array(size * size).keys()].filter(
        (i) => values[row * 64 + i] !== original[row * 64 + i],
      )
      expect(changed).toHaveLength(9)
      expect(changed.at(-1)! - changed[0]!).toBe(2 * size + 2)
      for (const i of changed) expect(values[row * 64 + i]).toBe(row < 3 ? 1 : 0)
    }
  })

  test('squares lie where the seed says, within reach of the middle', async () => {
    expect(await paint({ side: 3, reach: 2 })).toEqual(await paint({ side: 3, reach: 2 }))
    expect(await paint({ side: 3, reach: 2 })).not.toEqual(await paint({ side: 3, reach: 2 }, undefined, 2))
    const original = await x.data()
    const still = await paint({ side: 4, reach: 0 })
    const moved = [...still.keys()].filter((i) => still[i] !== original[i])
    for (const i of moved) {
      const [row, column] = [Math.floor((i % 64) / 8), i % 8]
      expect(row >= 2 && row < 6 && column >= 2 && column < 6).toBe(true)
    }
  })

  test('ε is how far a pixel of the square may move', async () => {
    const original = await x.data()
    const values = await paint({ epsilon: 0.2, side: 3 })
    for (const [i, value] of values.entries())
      expect(Math.abs(value - original[i]!)).toBeLessThanOrEqual(0.2 + 1e-6)
  })

  test('a share of the batch is painted, the rest stays; a share of 0 is the batch itself', async () => {
    const prepare = async (share: number) =>
      (await entry.prepare(
        model,
        x,
        [0, 0, 0, 1, 1, 1],
        { ...entry.defaults, side: 3, share },
        { seed: 1, step: 0, total: 1 },
      )) as tf.Tensor
    const half = await prepare(0.5)
    const [got, original] = [await half.data(), await x.data()]
    expect(got.slice(3 * 64)).toEqual(original.slice(3 * 64))
    for (const row of [0, 1, 2])
      expect(got.slice(row * 64, row * 64 + 64)).not.toEqual(original.slice(row * 64, row * 64 + 64))
    half.dispose()
    expect(await prepare(0)).toBe(x)
  })

  test('is found by its name, and refuses options that make no sense', () => {
    expect(findRecipe('sticker-training')).toBe(entry)
    const wrong = (options: object) => () => entry.check!({ ...entry.defaults, ...options })
    expect(wrong({ side: 0 })).toThrow(/side must be a whole number of at least 1; got 0/)
    expect(wrong({ steps: 1.5 })).toThrow(/steps must be a whole number/)
    expect(wrong({ share: 2 })).toThrow(/share must be from 0 to 1; got 2/)
    expect(wrong({ reach: -1 })).toThrow(/reach must be at least 0; got -1/)
  })

  test('leaves nothing behind when it is cancelled', async () => {
    await expect(
      paintSquares(model, x, [0, 0, 0, 1, 1, 1], {}, { seed: 1, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'cancelled' })
  })
})
