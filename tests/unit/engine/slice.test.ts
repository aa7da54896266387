import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import * as tf from '../../../src/core/tf.ts'
import { method, planeThrough } from '../../../src/engine/methods/slice.ts'
import type { CallContext } from '../../../src/engine/protocol.ts'
import { createWorkshop } from '../../../src/engine/workshop.ts'
import { runs } from '../../helpers/runs.ts'

const value = fc.float({ min: 0, max: 1, noNaN: true })
const images = fc.array(value, { minLength: 18, maxLength: 18 }).map((values) => Float32Array.from(values))

describe('planeThrough', () => {
  test('passes through its three images, and keeps every distance', () => {
    fc.assert(
      fc.property(images, (pixels) => {
        const { points, at } = planeThrough(pixels)
        points.forEach(([right, up], i) => {
          const image = at(right, up)
          image.forEach((pixel, j) => expect(pixel).toBeCloseTo(pixels[6 * i + j]!, 4))
        })
        for (const [i, j] of [
          [0, 1],
          [0, 2],
          [1, 2],
        ] as const) {
          const apart = Math.hypot(
            ...Array.from({ length: 6 }, (_, k) => pixels[6 * i + k]! - pixels[6 * j + k]!),
          )
          const drawn = Math.hypot(points[i]![0] - points[j]![0], points[i]![1] - points[j]![1])
          expect(drawn).toBeCloseTo(apart, 4)
        }
      }),
      { numRuns: runs(100) },
    )
  })

  test.each([
    ['three on one line', [0, 0, 0, 1, 0, 0, 2, 0, 0]],
    ['three times the same', [1, 2, 3, 1, 2, 3, 1, 2, 3]],
    ['the third like the first', [0, 0, 0, 1, 1, 0, 0, 0, 0]],
  ])('%s: a direction is made up, still of length 1 and upright', (_, values) => {
    const { at, origin } = planeThrough(Float32Array.from(values))
    const [right, up] = [at(1, 0), at(0, 1)].map((image) => image.map((v, i) => v - origin[i]!))
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0)
    expect(dot(right!, right!)).toBeCloseTo(1, 5)
    expect(dot(up!, up!)).toBeCloseTo(1, 5)
    expect(dot(right!, up!)).toBeCloseTo(0, 5)
  })
})

describe('slice', () => {
  const workshop = createWorkshop({ role: 'engine', fetchBytes: readStatic, emit: () => {} })
  const context = (over: Partial<CallContext> = {}): CallContext => ({
    signal: new AbortController().signal,
    progress: () => {},
    ...over,
  })
  let pixels: Float32Array
  let labels: number[]
  let before = 0
  beforeAll(async () => {
    await workshop.start('wasm')
    await workshop.model('digits-cnn')
    const { test } = await workshop.dataset('mnist10k')
    pixels = test.pixels([0, 1, 2])
    labels = [0, 1, 2].map((id) => test.labels[id]!)
  })
  beforeEach(() => void (before = tf.memory().numTensors))
  afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))
  const params = (size: number) => ({ model: { model: 'digits-cnn' }, pixels, shape: [3, 28, 28, 1], size })

  test('reads the three images rightly, and around each of them the same', async () => {
    const told: number[] = []
    const size = 25
    const slice = await method.run(
      params(size),
      context({ progress: (done, total) => told.push(done / total) }),
      workshop,
    )
    expect(slice.readAt).toEqual(labels)
    expect(slice.read).toHaveLength(size * size)
    slice.points.forEach(([right, up], i) => {
      const column = Math.round(((right - slice.corner[0]) / slice.side) * (size - 1))
      const row = size - 1 - Math.round(((up - slice.corner[1]) / slice.side) * (size - 1))
      expect(row >= 0 && row < size && column >= 0 && column < size).toBe(true)
      expect(slice.read[row * size + column]).toBe(labels[i])
    })
    expect(told.at(-1)).toBe(1)
    expect(told.length).toBeGreaterThan(1)
  })

  test('stops between two batches when it is cancelled', async () => {
    const control = new AbortController()
    const running = method.run(
      params(61),
      context({ signal: control.signal, progress: () => control.abort() }),
      workshop,
    )
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
  })

  test.each([
    ['two images', { shape: [2, 28, 28, 1] }, /slice: three images span a plane; got 2/],
    ['a grid of one point', { size: 1 }, /slice: size must be a whole number from 2 to 256; got 1/],
    ['images of another size', { shape: [3, 28, 28, 3] }, /images: the model reads \(N, 28, 28, 1\)/],
  ])('refuses %s', async (_, wrong, message) => {
    await expect(method.run({ ...params(9), ...wrong }, context(), workshop)).rejects.toThrow(message)
  })
})
