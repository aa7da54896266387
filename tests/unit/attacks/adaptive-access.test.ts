import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { bpda } from '../../../src/attacks/bpda.ts'
import { eot } from '../../../src/attacks/eot.ts'
import { pgd } from '../../../src/attacks/evasion/pgd.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import type { WhiteBoxAccess } from '../../../src/core/classifier.ts'
import * as tf from '../../../src/core/tf.ts'
import type { Model } from '../../../src/models/model.ts'
import { linearModel } from './linear.ts'

let identity: Model
let before = 0
beforeAll(async () => {
  await startBackend('cpu', readStatic)
  identity = linearModel(2, 2, [1, 0, 0, 1])
})
afterAll(() => identity.dispose())
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

const halves = (x: tf.Tensor) => tf.tidy(() => tf.div(tf.floor(tf.add(tf.mul(x, 2), 0.5)), 2))

test('BPDA answers for the rounded picture and gives its gradient as if rounding were the identity', async () => {
  const access = bpda(identity, { forward: halves })
  const x = tf.tensor([[0.6, 0.2]])
  const logits = await access.logits(x)
  expect(await logits.array()).toEqual([[0.5, 0]])
  const { loss, gradient } = await access.lossAndGradient(x, [0], { kind: 'margin' })
  // z = (0.5, 0): the margin of 0 is −0.5, and its slope (−1, 1).
  expect((await loss.data())[0]).toBeCloseTo(-0.5, 6)
  expect(await gradient.array()).toEqual([[-1, 1]])
  const cotangent = tf.tensor([[2, 3]])
  const product = await access.vjp(x, cotangent)
  expect(await product.array()).toEqual([[2, 3]])
  tf.dispose([x, logits, loss, gradient, cotangent, product])
})

test('a substitute of one’s own is used on the way back alone', async () => {
  const access = bpda(identity, { forward: halves, backward: (_, gradient) => tf.mul(gradient, 10) })
  const x = tf.tensor([[0.6, 0.2]])
  const { loss, gradient } = await access.lossAndGradient(x, [0], { kind: 'margin' })
  expect(await gradient.array()).toEqual([[-10, 10]])
  tf.dispose([x, loss, gradient])
})

test('an attack runs on it unchanged and crosses the stairs', async () => {
  const x = tf.tensor([[0.7, 0.3]])
  const options = { epsilon: 0.3, steps: 6, stepSize: 0.1 }
  const criterion = { kind: 'misclassification', labels: [0] } as const
  const { adversarial } = await pgd(bpda(identity, { forward: halves }), x, criterion, options, { seed: 1 })
  const [row] = (await adversarial.array()) as number[][]
  expect(row![0]).toBeCloseTo(0.4, 5)
  expect(row![1]).toBeCloseTo(0.6, 5)
  tf.dispose([x, adversarial])
})

test('a forward pass that gives x itself back is not freed twice', async () => {
  const access = bpda(identity, { forward: (x) => x })
  const x = tf.tensor([[0.6, 0.2]])
  tf.dispose(await access.logits(x))
  expect(x.isDisposed).toBe(false)
  x.dispose()
})

/** Answers x, then 3x, then x again, and so on: its mean over two calls is 2x. */
function fickle(): WhiteBoxAccess {
  let calls = 0
  const factor = () => (calls++ % 2 === 0 ? 1 : 3)
  return {
    inputShape: [2],
    numClasses: 2,
    bounds: [0, 1],
    logits: async (x) => tf.mul(x, factor()),
    vjp: async (_, cotangent) => tf.mul(cotangent, factor()),
    lossAndGradient: async (x) => {
      const by = factor()
      return { loss: tf.tidy(() => tf.mul(tf.sum(x, 1), by)), gradient: tf.fill([1, 2], by) }
    },
  }
}

test('EOT gives the mean over its draws, of logits, losses, gradients and products', async () => {
  const x = tf.tensor([[0.5, 0.25]])
  const logits = await eot(fickle(), 2).logits(x)
  expect(await logits.array()).toEqual([[1, 0.5]])
  const { loss, gradient } = await eot(fickle(), 4).lossAndGradient(x, [0])
  expect(await loss.array()).toEqual([1.5])
  expect(await gradient.array()).toEqual([[2, 2]])
  const product = await eot(fickle(), 2).vjp(x, x)
  expect(await product.array()).toEqual([[1, 0.5]])
  const one = await eot(fickle(), 1).logits(x)
  expect(await one.array()).toEqual([[0.5, 0.25]])
  tf.dispose([x, logits, loss, gradient, product, one])
})

test('EOT leaks nothing when a later draw fails, and refuses no draws', async () => {
  const x = tf.tensor([[0.5, 0.25]])
  let calls = 0
  const failing = {
    ...fickle(),
    logits: async (points: tf.Tensor) => {
      if (++calls === 2) throw new Error('gone')
      return tf.clone(points)
    },
  }
  await expect(eot(failing, 3).logits(x)).rejects.toThrow('gone')
  expect(() => eot(identity, 0)).toThrow('eot: draws must be a whole number of at least 1; got 0')
  expect(() => eot(identity, 1.5)).toThrow('got 1.5')
  x.dispose()
})
