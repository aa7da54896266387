import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import * as tf from '../../../src/core/tf.ts'
import { createCapabilities } from '../../../src/engine/capabilities.ts'
import { method as evaluateDefence } from '../../../src/engine/methods/evaluate-defence.ts'
import { method as landscape } from '../../../src/engine/methods/landscape.ts'
import type { CallContext } from '../../../src/engine/protocol.ts'
import { createWorkshop } from '../../../src/engine/workshop.ts'
import type { Task } from '../../../src/grading/grader.ts'

const workshop = createWorkshop({ role: 'engine', fetchBytes: readStatic, emit: () => {} })
const quiet: CallContext = { signal: new AbortController().signal, progress: () => {} }
let pixels = new Float32Array()
let label = 0
let tensors = 0
beforeAll(async () => {
  await workshop.start('wasm')
  await workshop.model('digits-cnn')
  const { test: split } = await workshop.dataset('mnist10k')
  pixels = Float32Array.from(split.pixels([0]))
  label = split.labels[0]!
})
beforeEach(() => void (tensors = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(tensors))

const slice = (own: object = {}, context = quiet) =>
  landscape.run(
    {
      model: { model: 'digits-cnn' },
      pixels,
      shape: [1, 28, 28, 1],
      label,
      reach: 0.25,
      points: 21,
      looks: 1,
      seed: 0,
      ...own,
    },
    context,
    workshop,
  )

test('around the bare network the loss climbs along the slope and hardly moves at random', async () => {
  const found = await slice()
  expect(found.at[0]).toBeCloseTo(-0.25, 6)
  expect(found.at[10]).toBeCloseTo(0, 6)
  expect(found.alongGradient[20]!).toBeGreaterThan(found.alongGradient[10]! + 1)
  expect(found.alongGradient[10]).toBeCloseTo(found.alongRandom[10]!, 5)
  expect(Math.abs(found.alongRandom[20]! - found.alongRandom[10]!)).toBeLessThan(
    found.alongGradient[20]! - found.alongGradient[10]!,
  )
  expect(found.read[10]).toBe(label)
  expect(found.flat).toBe(0)
})

test('rounding makes it a staircase that is flat at every point, and leaves its height', async () => {
  const stairs = await slice({
    model: { model: 'digits-cnn', defence: [{ id: 'bit-depth', levels: 4 }] },
    points: 41,
  })
  expect(stairs.flat).toBe(1)
  expect(new Set(stairs.alongGradient).size).toBeLessThan(41)
  expect(stairs.alongGradient[40]!).toBeGreaterThan(stairs.alongGradient[20]! + 1)
})

test('its frames go from the image to the end of the slope, as sent and as the network is given them', async () => {
  const levels = 4
  const { at, frames } = await slice({
    model: {
      model: 'digits-cnn',
      defence: [
        { id: 'bit-depth', levels },
        { id: 'scaled-logits', factor: 100 },
      ],
    },
  })
  expect(Array.from(frames.points, (point) => at[point])).toEqual([at[10], at[12], at[15], at[17], at[20]])
  expect(frames.sent.subarray(0, pixels.length)).toEqual(pixels)
  const last = frames.sent.subarray(4 * pixels.length)
  const farthest = last.reduce((most, value, j) => Math.max(most, Math.abs(value - pixels[j]!)), 0)
  expect(farthest).toBeCloseTo(0.25, 6)
  frames.given.forEach((value, j) =>
    expect(value).toBeCloseTo(Math.round(frames.sent[j]! * (levels - 1)) / (levels - 1), 5),
  )
  const bare = await slice()
  expect(bare.frames.given).toEqual(bare.frames.sent)
})

test.each<[object, RegExp]>([
  [{ points: 2 }, /points must be a whole number from 3 to 501; got 2/],
  [{ reach: 0 }, /reach must be positive; got 0/],
  [{ shape: [1, 27, 28, 1] }, /the model reads/],
])('refuses %o', async (own, message) => {
  await expect(slice(own)).rejects.toThrow(message)
})

test('a slice and an evaluation stop when they are cancelled', async () => {
  const context = { signal: AbortSignal.abort(), progress: () => {} }
  await expect(slice({}, context)).rejects.toMatchObject({ code: 'cancelled' })
  const params = {
    model: { model: 'digits-cnn' },
    defence: [],
    dataset: 'mnist10k',
    split: 'test' as const,
    ids: [0, 1],
    epsilon: 0.25,
    steps: 2,
    looks: 1,
    seed: 1,
  }
  await expect(evaluateDefence.run(params, context, workshop)).rejects.toMatchObject({ code: 'cancelled' })
})

test('a program asks the victim with its stages and, where it is granted, what lies behind the first', async () => {
  const task: Task = {
    victim: {
      model: 'digits-cnn',
      defence: [
        { id: 'bit-depth', levels: 4 },
        { id: 'scaled-logits', factor: 100 },
      ],
      innerSkips: 1,
    },
    dataset: 'mnist10k',
    split: 'test',
    ids: [0],
    labels: [label],
    values: {},
  }
  const open = async (access: string[]) =>
    createCapabilities({
      model: await workshop.model('digits-cnn'),
      dataset: await workshop.dataset('mnist10k'),
      task,
      spec: { access, maxQueries: 100, seconds: 10 },
      seed: 1,
    })
  const x = { shape: [1, 28, 28, 1], dtype: 'float32', values: pixels }
  const y = Int32Array.of(label)
  const server = await open(['victim', 'inner'])
  const answer = (name: string) =>
    server.call(name, [x, y, { kind: 'margin' }]) as Promise<{ gradient: { values: Float32Array } }>
  expect((await answer('victim.lossAndGradient')).gradient.values.every((slope) => slope === 0)).toBe(true)
  expect((await answer('inner.lossAndGradient')).gradient.values.some((slope) => slope !== 0)).toBe(true)
  const logits = (await server.call('inner.logits', [x])) as { values: Float32Array }
  expect(Math.max(...logits.values)).toBeGreaterThan(200)
  expect(server.summary().rows).toEqual({ gradient: 2, logits: 1 })
  server.close()
  const without = await open(['victim'])
  await expect(without.call('inner.logits', [x])).rejects.toThrow(
    /not part of this checkpoint's threat model/,
  )
  without.close()
})
