import { beforeAll, describe, expect, test } from 'vitest'
import { findAttack } from '../../../src/attacks/registry.ts'
import type { WhiteBoxAccess } from '../../../src/core/classifier.ts'
import * as tf from '../../../src/core/tf.ts'
import { runSmallSteps } from '../../../src/engine/small-steps.ts'
import '../../../src/core/cpu-backend.ts'

const entry = findAttack('fgsm')
const run = { seed: 0 }
const criterion = { kind: 'misclassification' as const, labels: [0, 0] }

/**
 * A loss on two pixels that fits on paper: L(x) = −(x₀ − 0.6)² + x₁. Its slope in x₀ turns at 0.6, so one
 * long step from 0.5 overshoots the top and small steps stay near it.
 */
const hill: WhiteBoxAccess = {
  inputShape: [2],
  numClasses: 2,
  bounds: [0, 1],
  logits: () => Promise.reject(new Error('not asked for')),
  vjp: () => Promise.reject(new Error('not asked for')),
  async lossAndGradient(x) {
    return tf.tidy(() => {
      const [a, b] = tf.split(x, 2, 1) as [tf.Tensor, tf.Tensor]
      const off = tf.sub(a, 0.6)
      return {
        loss: tf.squeeze(tf.sub(b, tf.square(off)), [1]),
        gradient: tf.concat([tf.mul(-2, off), tf.onesLike(b)], 1),
      }
    })
  },
}

beforeAll(async () => {
  await tf.setBackend('cpu')
})
const start = () => tf.tensor([0.5, 0.5, 0.9, 0.95], [2, 2])

async function attack(
  small: { steps: number; stepShare: number } | undefined,
  options = { epsilon: 0.3, norm: 'linf' },
) {
  const x = start()
  try {
    const { adversarial, trace } = await runSmallSteps(entry, hill, x, criterion, options, small, run)
    const values = Array.from(await adversarial.data())
    adversarial.dispose()
    return { values, trace }
  } finally {
    x.dispose()
  }
}

describe('small steps', () => {
  test('one step is the attack itself', async () => {
    expect((await attack({ steps: 1, stepShare: 0.125 })).values).toEqual((await attack(undefined)).values)
  })

  test('find the top that one long step jumps over, and stay in the ball and in bounds', async () => {
    const once = (await attack(undefined)).values
    expect(once[0]).toBeCloseTo(0.8, 5)
    const { values } = await attack({ steps: 12, stepShare: 0.125 })
    expect(Math.abs(values[0]! - 0.6)).toBeLessThanOrEqual(0.0376)
    expect(values[1]).toBeCloseTo(0.8, 5)
    expect(values[3]).toBeCloseTo(1, 5)
    expect(Math.abs(values[2]! - 0.9)).toBeLessThanOrEqual(0.3 + 1e-6)
  })

  test('the L2 ball holds the length of the whole change', async () => {
    const { values } = await attack({ steps: 20, stepShare: 0.5 }, { epsilon: 0.2, norm: 'l2' })
    expect(Math.hypot(values[0]! - 0.5, values[1]! - 0.5)).toBeLessThanOrEqual(0.2 + 1e-6)
  })

  test('the trace holds the mean loss before each step and after the last', async () => {
    const { trace } = await attack({ steps: 3, stepShare: 0.125 })
    expect(trace.map(({ step }) => step)).toEqual([0, 1, 2, 3])
    const first = (0.5 - 0.01 + (0.95 - 0.09)) / 2
    expect(trace[0]!.values.loss).toBeCloseTo(first, 5)
    expect(trace[3]!.values.loss).toBeGreaterThan(first)
  })

  test('leaks no tensor, also when it throws or is cancelled', async () => {
    const before = tf.memory().numTensors
    await attack({ steps: 4, stepShare: 0.25 })
    await expect(attack({ steps: 0, stepShare: 0.25 })).rejects.toThrow('small steps: their number')
    const x = start()
    const stop = new AbortController()
    stop.abort()
    await expect(
      runSmallSteps(
        entry,
        hill,
        x,
        criterion,
        { epsilon: 0.3, norm: 'linf' },
        { steps: 3, stepShare: 0.25 },
        { ...run, signal: stop.signal },
      ),
    ).rejects.toThrow('Stopped')
    x.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })
})
