import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import type { RunContext } from '../../../src/core/run.ts'
import * as tf from '../../../src/core/tf.ts'
import type { LabelledRows } from '../../../src/data/labelled-rows.ts'
import { roni } from '../../../src/defences/sanitation/roni.ts'
import { linearModel } from '../attacks/linear.ts'

const line = (xs: number[], labels: number[]): LabelledRows => ({
  ids: Int32Array.from(xs.keys()),
  x: Float32Array.from(xs),
  shape: [1],
  labels: Int32Array.from(labels),
  numClasses: 2,
})
/** The nearest class mean, as a linear model: trained in one look. */
async function nearestMean({ x, labels }: LabelledRows) {
  const mean = (k: number) => {
    const own = [...x].filter((_, i) => labels[i] === k)
    return own.reduce((sum, value) => sum + value, 0) / Math.max(1, own.length)
  }
  const [a, b] = [mean(0), mean(1)]
  return linearModel(1, 2, [2 * a, 2 * b], [-a * a, -b * b])
}
const trusted = line(
  Array.from({ length: 20 }, (_, i) => (i % 2) * 0.6 + 0.2 + i / 200),
  Array.from({ length: 20 }, (_, i) => i % 2),
)
const honest = line([0.22, 0.25, 0.85, 0.9], [0, 0, 1, 1])
const flipped = line([0.1, 0.12, 0.11, 0.9, 0.95, 0.99], [1, 1, 1, 0, 0, 0])
const options = { trials: 3, trainRows: 6, tolerance: 0.05 }
const run: RunContext = { seed: 1 }

describe('RONI', () => {
  let before = 0
  beforeAll(() => startBackend('cpu', readStatic))
  beforeEach(() => void (before = tf.memory().numTensors))
  afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

  test('turns away the batch that does harm, and not the honest one', async () => {
    const steps: [number, number][] = []
    const [good, bad, none] = await roni(trusted, [honest, flipped, line([], [])], nearestMean, options, {
      ...run,
      onStep: (done, total) => steps.push([done, total]),
    })
    expect([good!.rejected, bad!.rejected, none!.rejected]).toEqual([false, true, false])
    expect(good!.impact).toBe(0)
    expect(bad!.impact).toBeLessThan(-0.3)
    expect(bad!.impacts).toHaveLength(3)
    expect(none!.impacts).toEqual([0, 0, 0])
    expect(steps.at(-1)).toEqual([9, 9])
  })

  test('a large tolerance takes everything', async () => {
    const [bad] = await roni(trusted, [flipped], nearestMean, { ...options, tolerance: 1 }, run)
    expect(bad!.rejected).toBe(false)
  })

  test('measures another figure when it is given one', async () => {
    const [one] = await roni(trusted, [flipped], nearestMean, { ...options, figure: () => 7 }, run)
    expect(one!.impact).toBe(0)
  })

  test('refuses when no trusted row is left to judge by, and batches of another kind', async () => {
    await expect(roni(trusted, [], nearestMean, { ...options, trainRows: 20 }, run)).rejects.toThrow(
      'of 20 trusted rows 20 are trained on, and none is left to judge by',
    )
    await expect(roni(trusted, [{ ...honest, numClasses: 3 }], nearestMean, options, run)).rejects.toThrow(
      'a batch must have rows of shape [1] and 2 classes; got [1] and 3',
    )
    await expect(roni(trusted, [], nearestMean, { ...options, trials: 0 }, run)).rejects.toThrow(RangeError)
    const broken = line([NaN], [0])
    await expect(roni(trusted, [broken], nearestMean, options, run)).rejects.toThrow('row 0 holds NaN')
  })

  test('stops when cancelled', async () => {
    await expect(
      roni(trusted, [flipped], nearestMean, options, { seed: 1, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'cancelled' })
  })
})
