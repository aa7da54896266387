import { describe, expect, test } from 'vitest'
import { createRng } from '../../../src/core/rng.ts'
import type { FeatureRows } from '../../../src/defences/sanitation/features.ts'
import { headOf, influenceSuspicion, type Head } from '../../../src/defences/sanitation/influence.ts'

const damping = 0.05

/** Two classes along the first of two features; row 3 is labelled as the other class is. */
function rows(count = 30, seed = 1): FeatureRows {
  const rng = createRng(seed, 'influence')
  const truth = Array.from({ length: count }, (_, i) => i % 2)
  return {
    ids: Int32Array.from({ length: count }, (_, i) => 50 + i),
    x: Float64Array.from(
      { length: count * 2 },
      (_, k) => (k % 2 === 0 ? 2 * truth[k >> 1]! - 1 : 0) + 0.3 * rng.normal(),
    ),
    size: 2,
    labels: Int32Array.from(truth, (label, i) => (i === 3 ? 1 - label : label)),
    numClasses: 2,
  }
}

/** Minimises Σ weight·loss/n + damping/2·‖W‖² by gradient descent, to the last digits. */
function fitHead({ x, size, labels, numClasses }: FeatureRows, weights: number[]): Head {
  const kernel = new Float64Array(size * numClasses)
  const bias = new Float64Array(numClasses)
  const n = labels.length
  for (let step = 0; step < 1200; step++) {
    const byKernel = kernel.map((value) => damping * value)
    const byBias = bias.map((value) => damping * value)
    for (const [i, label] of labels.entries()) {
      const z = Array.from(
        bias,
        (b, k) => b + kernel[k]! * x[2 * i]! + kernel[numClasses + k]! * x[2 * i + 1]!,
      )
      const powers = z.map(Math.exp)
      const sum = powers.reduce((a, b) => a + b)
      for (let k = 0; k < numClasses; k++) {
        const error = (weights[i]! * (powers[k]! / sum - Number(k === label))) / n
        byBias[k]! += error
        for (let j = 0; j < size; j++) byKernel[j * numClasses + k]! += error * x[i * size + j]!
      }
    }
    byKernel.forEach((value, k) => (kernel[k]! -= 0.5 * value))
    byBias.forEach((value, k) => (bias[k]! -= 0.5 * value))
  }
  return { kernel: Float32Array.from(kernel), bias: Float32Array.from(bias) }
}
function lossOn({ x, labels }: FeatureRows, { kernel, bias }: Head): number {
  let total = 0
  for (const [i, label] of labels.entries()) {
    const z = Array.from(bias, (b, k) => b + kernel[k]! * x[2 * i]! + kernel[2 + k]! * x[2 * i + 1]!)
    total += Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0)) - z[label]!
  }
  return total / labels.length
}
const run = { seed: 1 }

describe('influence', () => {
  test('says what training again without a row would do to the trusted loss', async () => {
    const data = rows()
    const trusted = { ...rows(40, 7), labels: Int32Array.from({ length: 40 }, (_, i) => i % 2) }
    const all = data.ids.length
    const even = new Array<number>(all).fill(1)
    const head = fitHead(data, even)
    const { scores, flaggedIds } = await influenceSuspicion(
      data,
      head,
      { trusted, damping, share: 0.04 },
      run,
    )
    expect([...flaggedIds]).toEqual([53])
    const base = lossOn(trusted, head)
    // A weight a little lower by h changes the loss by −h/n · influence; h is large enough for float32
    // weights.
    for (const row of [3, 0, 7]) {
      const h = 0.5
      const less = fitHead(
        data,
        even.map((weight, i) => (i === row ? weight - h : weight)),
      )
      const more = fitHead(
        data,
        even.map((weight, i) => (i === row ? weight + h : weight)),
      )
      const measured = ((lossOn(trusted, more) - lossOn(trusted, less)) * all) / (2 * h)
      expect(Math.abs(scores[row]! - measured), `row ${row}, base ${base}`).toBeLessThan(
        0.1 * Math.abs(measured) + 0.005,
      )
    }
  })

  test('without trusted rows, the label that stands alone has most influence on itself', async () => {
    const data = rows()
    const head = fitHead(data, new Array<number>(30).fill(1))
    const { scores, flaggedIds } = await influenceSuspicion(data, head, { damping, share: 1 / 30 }, run)
    expect([...flaggedIds]).toEqual([53])
    for (const score of scores) expect(score).toBeGreaterThanOrEqual(0)
  })

  test('refuses what does not fit', async () => {
    const data = rows()
    const head = { kernel: new Float32Array(4), bias: new Float32Array(2) }
    const go = (options: object, features: FeatureRows = data, own = head) =>
      influenceSuspicion(features, own, { damping, share: 0.1, ...options }, run)
    await expect(go({ damping: 0 })).rejects.toThrow('damping must be positive; got 0')
    await expect(go({ share: 2 })).rejects.toThrow('share must lie in [0, 1]')
    await expect(go({}, data, { ...head, bias: new Float32Array(3) })).rejects.toThrow(
      'need a last layer of 4 weights and 2 biases; got 4 and 3',
    )
    const broken = rows()
    broken.x[5] = NaN
    await expect(go({}, broken)).rejects.toThrow('the features of row 52 are not finite')
    const none = { ...data, ids: new Int32Array(0), x: new Float64Array(0), labels: new Int32Array(0) }
    await expect(go({ trusted: none })).rejects.toThrow('expected trusted rows of 2 features; got 0 rows')
    const wide = { ...data, size: 1000, x: new Float64Array(30000) }
    const wideHead = { kernel: new Float32Array(2000), bias: new Float32Array(2) }
    await expect(go({}, wide, wideHead)).rejects.toThrow('has 2002 weights, more than the 2000')
    expect(() => headOf([])).toThrow('must end with a dense layer')
  })
})
