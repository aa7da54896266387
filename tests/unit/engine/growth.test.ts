import { beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import * as tf from '../../../src/core/tf.ts'
import { method as attackImages } from '../../../src/engine/methods/attack-images.ts'
import { method as warm } from '../../../src/engine/methods/warm.ts'
import { createWorkshop } from '../../../src/engine/workshop.ts'
import { recipe } from '../../../src/models/architectures.ts'
import { createTrainer } from '../../../src/models/trainer.ts'
import { initialWeights } from '../../../src/models/weights.ts'

const workshop = createWorkshop({ role: 'engine', fetchBytes: readStatic, emit: () => {} })
const quiet = { signal: new AbortController().signal, progress: () => {} }

beforeAll(async () => {
  await workshop.start('wasm')
  await workshop.model('digits-cnn')
})

/** The WASM heap never shrinks, so that its size tells the most that was ever held at once. */
const heapBytes = () => {
  const { wasm } = tf.backend() as unknown as { wasm: { asm: { memory: WebAssembly.Memory } } }
  return wasm.asm.memory.buffer.byteLength
}

describe('memory', () => {
  test('stays flat over 1,000 gradients and training steps', async () => {
    const { architecture } = recipe('digits-cnn')
    const trainer = createTrainer(architecture, initialWeights(architecture, 1))
    const x = tf.fill([2, 28, 28, 1], 0.5)
    const labels = Int32Array.of(1, 2)
    const once = async () => {
      const { loss, gradient } = await trainer.model.lossAndGradient(x, labels)
      const trained = trainer.step(x, labels, 1e-3)
      tf.dispose([loss, gradient, trained])
    }
    for (let run = 0; run < 20; run++) await once()
    const [tensors, data, bytes] = [tf.memory().numTensors, tf.engine().backend.numDataIds(), heapBytes()]
    for (let run = 0; run < 1000; run++) await once()
    expect(tf.memory().numTensors).toBe(tensors)
    expect(tf.engine().backend.numDataIds()).toBe(data)
    expect(heapBytes()).toBe(bytes)
    x.dispose()
    trainer.dispose()
  })

  test('an attack on 2,000 images streams: it holds no more than one on 128', async () => {
    const attack = async (count: number) => {
      const images = {
        dataset: 'mnist10k',
        split: 'test' as const,
        ids: Array.from({ length: count }, (_, i) => i),
      }
      const told: number[] = []
      const params = {
        model: { model: 'digits-cnn' },
        images,
        attack: 'fgsm',
        options: { epsilon: 0.25 },
        seed: 1,
      }
      const context = { ...quiet, progress: (done: number) => void told.push(done) }
      const result = await attackImages.run(params, context, workshop)
      return { told, fooled: result.readAfter.filter((read, i) => read !== result.labels[i]).length }
    }
    await attack(128)
    const [tensors, bytes] = [tf.memory().numTensors, heapBytes()]
    const { told, fooled } = await attack(2000)
    expect(fooled).toBeGreaterThan(1000)
    expect(told.length).toBeGreaterThan(30)
    expect(tf.memory().numTensors).toBe(tensors)
    expect(heapBytes()).toBe(bytes)
  })
})

test('warming up leaves nothing behind and changes no weight', async () => {
  const model = await workshop.model('digits-cnn')
  const before = await model.weights()
  const tensors = tf.memory().numTensors
  expect((await warm.run({ model: 'digits-cnn' }, quiet, workshop)).ms).toBeGreaterThan(0)
  expect(tf.memory().numTensors).toBe(tensors)
  expect(await model.weights()).toEqual(before)
})
