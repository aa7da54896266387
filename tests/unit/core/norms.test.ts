import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { clipToBounds, normaliseRows, normRows, projectBall } from '../../../src/core/norms.ts'
import * as tf from '../../../src/core/tf.ts'
import type { Norm } from '../../../src/core/threat-model.ts'
import { runs } from '../../helpers/runs.ts'

beforeAll(() => startBackend('wasm', readStatic))

let before = 0
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors).toBe(before))

async function numbers(result: tf.Tensor | Promise<tf.Tensor>): Promise<number[]> {
  const tensor = await result
  const values = Array.from(await tensor.data())
  tensor.dispose()
  return values
}

/** Calls f with a (rows, 1, n, 1) tensor, so that more than one axis is summed over. */
async function withRows<T>(rows: number[][], f: (delta: tf.Tensor) => Promise<T>): Promise<T> {
  const delta = tf.tensor(rows.flat(), [rows.length, 1, rows[0]!.length, 1])
  try {
    return await f(delta)
  } finally {
    delta.dispose()
  }
}

const norms: Norm[] = ['linf', 'l2', 'l1', 'l0']

describe('norms, worked by hand', () => {
  it('measures each row', async () => {
    const rows = [
      [3, -4, 0],
      [0, 0, 0],
      [-1, 2, -2],
    ]
    const expected = { linf: [4, 0, 2], l2: [5, 0, 3], l1: [7, 0, 5], l0: [2, 0, 3] }
    for (const norm of norms)
      expect(await withRows(rows, (d) => numbers(normRows(d, norm)))).toEqual(expected[norm])
  })

  it('normalises rows and leaves a zero row zero', async () => {
    const rows = [
      [3, -4],
      [0, 0],
    ]
    const l2 = await withRows(rows, (d) => numbers(normaliseRows(d, 'l2')))
    for (const [i, value] of [0.6, -0.8, 0, 0].entries()) expect(l2[i]).toBeCloseTo(value, 6)
    expect(await withRows(rows, (d) => numbers(normaliseRows(d, 'linf')))).toEqual([0.75, -1, 0, 0])
  })

  it('projects on each ball', async () => {
    const project = (rows: number[][], norm: Norm, epsilon: number) =>
      withRows(rows, (d) => numbers(projectBall(d, norm, epsilon)))
    expect(await project([[3, -4, 0.5]], 'linf', 1)).toEqual([1, -1, 0.5])
    expect(await project([[3, -4, 0]], 'l2', 2.5)).toEqual([1.5, -2, 0])
    // Duchi's threshold for (3, −1) and radius 2 is 1: (2, 0).
    expect(await project([[3, -1]], 'l1', 2)).toEqual([2, -0])
    expect(await project([[2, -1, 0.5]], 'l0', 2)).toEqual([2, -1, 0])
  })

  it('clips to the bounds', async () => {
    expect(await withRows([[-0.5, 0.5, 1.5]], (x) => numbers(clipToBounds(x, [0, 1])))).toEqual([0, 0.5, 1])
  })

  it('refuses a radius that is none', async () => {
    for (const epsilon of [-1, Number.NaN]) {
      await expect(withRows([[1]], (d) => projectBall(d, 'linf', epsilon))).rejects.toThrow(
        `epsilon must be at least 0; got ${epsilon}`,
      )
    }
  })
})

describe('projection', () => {
  const row = fc.array(fc.float({ min: -10, max: 10, noNaN: true }), { minLength: 4, maxLength: 4 })
  it('lands in the ball, stays put inside it, and does nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(row, row),
        fc.double({ min: 0.01, max: 12, noNaN: true }),
        async (rows, epsilon) => {
          for (const norm of norms) {
            await withRows(rows, async (delta) => {
              const once = await projectBall(delta, norm, epsilon)
              const twice = await projectBall(once, norm, epsilon)
              const [sizeBefore, sizeAfter] = [
                await numbers(normRows(delta, norm)),
                await numbers(normRows(once, norm)),
              ]
              const [original, first, second] = [await delta.data(), await once.data(), await twice.data()]
              // float32: a few units in the last place of epsilon.
              const slack = 1e-6 * (1 + epsilon)
              for (const [i, size] of sizeAfter.entries()) {
                expect(size).toBeLessThanOrEqual(epsilon + slack)
                if (sizeBefore[i]! > epsilon) continue
                for (let k = 4 * i; k < 4 * i + 4; k++)
                  expect(Math.abs(first[k]! - original[k]!)).toBeLessThanOrEqual(slack)
              }
              for (const [i, value] of first.entries())
                expect(Math.abs(second[i]! - value)).toBeLessThanOrEqual(slack)
              tf.dispose([once, twice])
            })
          }
        },
      ),
      { numRuns: runs(50) },
    )
  })
})
