import { afterAll, beforeAll, expect, test } from 'vitest'
import { pgd } from '../../../src/attacks/evasion/pgd.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import { Camera } from '../../../src/engine/film.ts'
import { Watch } from '../../../src/engine/watch.ts'
import type { Model } from '../../../src/models/model.ts'
import { linearModel } from '../attacks/linear.ts'

/** Read as the larger coordinate: a step along the sign moves x₀ down and x₁ up. */
let model: Model
beforeAll(async () => {
  await startBackend('cpu', readStatic)
  model = linearModel(2, 2, [1, 0, 0, 1])
})
afterAll(() => model.dispose())

const original = Float32Array.of(0.8, 0.2)
const film = async (frames: number, options: Record<string, number | boolean>) => {
  const before = tf.memory().numTensors
  const x = tf.tensor([[...original]])
  const camera = new Camera()
  const criterion = { kind: 'misclassification' as const, labels: [0] }
  const { adversarial } = await pgd(
    camera.around(model),
    x,
    criterion,
    { epsilon: 0.4, ...options },
    { seed: 1 },
  )
  const result = Float32Array.from(await adversarial.data())
  const made = await camera.develop(frames, { original, result, steps: Number(options.steps) }, model, [0])
  tf.dispose([x, adversarial])
  expect(tf.memory().numTensors, 'a tensor leaked').toBe(before)
  return made
}

test('the film shows where the image stood before each step, and the result', async () => {
  const made = (await film(12, { steps: 4, stepSize: 0.1 }))!
  expect(made.steps).toEqual([0, 1, 2, 3, 4])
  expect([...made.pixels].map((value) => Number(value.toFixed(3)))).toEqual([
    0.8, 0.2, 0.7, 0.3, 0.6, 0.4, 0.5, 0.5, 0.4, 0.6,
  ])
  expect([...made.linf].map((value) => Number(value.toFixed(3)))).toEqual([0, 0.1, 0.2, 0.3, 0.4])
  expect(made.l2[4]).toBeCloseTo(0.4 * Math.SQRT2, 5)
  expect([...made.loss]).toEqual([...made.loss].sort((a, b) => a - b))
  expect(made.logits).toHaveLength(10)
})

test('fewer frames keep the first and the last, and a restart is not part of the way', async () => {
  expect((await film(3, { steps: 4, stepSize: 0.1 }))!.steps).toEqual([0, 2, 4])
  const restarted = (await film(12, { steps: 4, stepSize: 0.1, restarts: 2 }))!
  expect(restarted.steps.at(-1)).toBeLessThanOrEqual(4)
})

test('one step has no way to show', async () => {
  expect(await film(8, { steps: 1, stepSize: 0.4 })).toBeUndefined()
})

test('the watch measures from the originals, and tells a part of the sample by its likeness', () => {
  const watch = new Watch(Float32Array.of(0.8, 0.2, 0.1, 0.9), 2)
  watch.saw(Float32Array.of(0.9, 0.2, 0.1, 0.7), [1, 3], Float32Array.of(1, 0, 0, 0))
  expect(watch.trace[0]!.values).toMatchObject({ from: 0, loss: 2, lowest: expect.closeTo(0.1), flat: 0.5 })
  expect(watch.trace[0]!.values.linf).toBeCloseTo(0.2, 6)
  // The second image alone, in grey levels: like the second original, whatever its scale.
  watch.saw(Float32Array.of(25.5, 229.5), [0], Float32Array.of(0, 0))
  expect(watch.trace[1]!.values).toMatchObject({ from: 1, highest: 229.5, flat: 1 })
  // Three rows are no part of two.
  watch.saw(new Float32Array(6), [0, 0, 0], new Float32Array(6))
  expect(watch.trace).toHaveLength(2)
})
