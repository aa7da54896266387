import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import { adaptive } from '../../../src/defences/adaptive.ts'
import { averaged, defended } from '../../../src/defences/defended.ts'
import { readStage, stages } from '../../../src/defences/registry.ts'
import type { StageSpec } from '../../../src/defences/stage.ts'
import type { Model } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { runs } from '../../helpers/runs.ts'

/** A picture of 4 × 4 pixels read by one dense layer: everything about it fits on paper. */
function tinyModel(): Model {
  const kernel = Float32Array.from({ length: 48 }, (_, i) => ((i * 7) % 11) / 5 - 1)
  return createModel(
    {
      name: 'tiny',
      inputShape: [4, 4, 1],
      numClasses: 3,
      bounds: [0, 1],
      classes: ['a', 'b', 'c'],
      layers: [{ type: 'flatten' }, { type: 'dense', units: 3 }],
    },
    [
      { name: 'dense/kernel', shape: [16, 3], values: kernel },
      { name: 'dense/bias', shape: [3], values: new Float32Array(3) },
    ],
  )
}

describe.each(['cpu', 'wasm'] as const)('stages on %s', (backend) => {
  let model: Model
  let before = 0
  beforeAll(async () => {
    await startBackend(backend, readStatic)
    model = tinyModel()
  })
  afterAll(() => model.dispose())
  beforeEach(() => void (before = tf.memory().numTensors))
  afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

  const pass = async (spec: StageSpec, values: number[], shape: number[], seed = 1) => {
    const { entry, options } = readStage(spec)
    const x = tf.tensor(values, shape)
    const y = entry.forward(x, options, createRng(seed))
    const got = [...(await y.data())]
    tf.dispose([x, y])
    return got
  }

  test('four levels are 0, ⅓, ⅔ and 1, and a tie goes up', async () => {
    const got = await pass({ id: 'bit-depth', levels: 4 }, [0, 0.16, 0.17, 0.4, 0.6, 1], [6])
    const third = Math.fround(1 / 3)
    ;[0, 0, third, third, Math.fround(2 / 3), 1].forEach((value, i) => expect(got[i]).toBeCloseTo(value, 6))
    expect(await pass({ id: 'bit-depth', levels: 2 }, [0.49, 0.5, 0.51], [3])).toEqual([0, 1, 1])
  })

  test('the median of nine removes a lone pixel, and that of four is the upper middle', async () => {
    const lone = [0, 0, 0, 0, 1, 0, 0, 0, 0]
    expect(await pass({ id: 'median-smoothing', window: 3 }, lone, [1, 3, 3, 1])).toEqual(Array(9).fill(0))
    const corner = await pass({ id: 'median-smoothing', window: 2 }, [0.1, 0.2, 0.3, 0.4], [1, 2, 2, 1])
    // At the last pixel all four are in the window: 0.1, 0.2, 0.3, 0.4.
    expect(corner[3]).toBeCloseTo(0.3, 6)
    expect(corner[0]).toBeCloseTo(0.1, 6)
  })

  test('medians agree with sorting, whatever the picture', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 20, maxLength: 20 }),
        async (values) => {
          const got = await pass({ id: 'median-smoothing', window: 3 }, values, [1, 4, 5, 1])
          const at = (i: number, j: number) =>
            values[Math.min(3, Math.max(0, i)) * 5 + Math.min(4, Math.max(0, j))]!
          for (let i = 0; i < 4; i++)
            for (let j = 0; j < 5; j++) {
              const around = [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => at(i + down, j + right)))
              expect(got[i * 5 + j]).toBe(Math.fround(around.sort((a, b) => a - b)[4]!))
            }
        },
      ),
      { numRuns: runs(20) },
    )
  })

  test('resizing to the full size changes nothing, and a smaller one keeps what a picture is', async () => {
    const values = Array.from({ length: 16 }, (_, i) => i / 16)
    const same = await pass({ id: 'resize-pad', smallest: 4, largest: 4 }, values, [1, 4, 4, 1])
    same.forEach((value, i) => expect(value).toBeCloseTo(values[i]!, 6))
    const half = await pass({ id: 'resize-pad', smallest: 2, largest: 2 }, Array(16).fill(1), [1, 4, 4, 1])
    expect(half.filter((value) => Math.abs(value - 1) < 1e-6)).toHaveLength(4)
    expect(half.filter((value) => value === 0)).toHaveLength(12)
    expect(half).toEqual(
      await pass({ id: 'resize-pad', smallest: 2, largest: 2 }, Array(16).fill(1), [1, 4, 4, 1]),
    )
    const other = [2, 3, 4, 5, 6].map((seed) =>
      pass({ id: 'resize-pad', smallest: 2, largest: 2 }, Array(16).fill(1), [1, 4, 4, 1], seed),
    )
    expect((await Promise.all(other)).some((got) => got.join() !== half.join())).toBe(true)
  })

  test.each([...stages.keys()])('%s: its way back is the derivative of its way forward', async (id) => {
    const { entry } = readStage({ id })
    const options = id === 'resize-pad' ? { smallest: 2, largest: 3 } : entry.defaults
    const isPicture = entry.place === 'input'
    const shape = isPicture ? [2, 4, 4, 1] : [2, 3]
    const size = shape.reduce((a, b) => a * b)
    const values = Float32Array.from({ length: size }, (_, i) => 0.07 + ((i * 37) % 83) / 100)
    const weights = Float32Array.from({ length: size }, (_, i) => Math.sin(i + 1))
    const answer = async (x: Float32Array) => {
      const input = tf.tensor(x, shape)
      const output = entry.forward(input, options, createRng(3))
      const got = (await output.data()) as Float32Array
      tf.dispose([input, output])
      return got.reduce((sum, value, i) => sum + value * weights[i]!, 0)
    }
    const [x, cotangent] = [tf.tensor(values, shape), tf.tensor(weights, shape)]
    const gradient = entry.backward(x, cotangent, options, createRng(3))
    const slopes = await gradient.data()
    tf.dispose([x, cotangent, gradient])
    const step = 1e-3
    for (let i = 0; i < size; i += 3) {
      const [up, down] = [step, -step].map((by) => values.map((value, j) => (j === i ? value + by : value)))
      const expected = ((await answer(up!)) - (await answer(down!))) / (2 * step)
      expect(slopes[i]).toBeCloseTo(expected, id === 'scaled-logits' ? 0 : 2)
    }
  })

  test.each<[StageSpec, RegExp]>([
    [{ id: 'sharpen' }, /no stage "sharpen"; the stages are .*bit-depth/],
    [{ id: 'bit-depth', depth: 2 }, /bit-depth: there is no option "depth"/],
    [{ id: 'bit-depth', levels: 1 }, /levels must be a whole number of at least 2; got 1/],
    [{ id: 'median-smoothing', window: 5 }, /window must be 2 or 3; got 5/],
    [{ id: 'resize-pad', smallest: 3, largest: 9 }, /1 ≤ smallest ≤ largest ≤ 4; got 3 and 9/],
    [{ id: 'scaled-logits', factor: 0 }, /factor must be positive; got 0/],
  ])('refuses %o', async (spec, message) => {
    const x = tf.zeros([1, 4, 4, 1])
    await expect((async () => defended(model, [spec], 1).logits(x))()).rejects.toThrow(message)
    x.dispose()
  })

  const vendor: StageSpec[] = [
    { id: 'bit-depth', levels: 4 },
    { id: 'resize-pad', smallest: 3, largest: 4 },
    { id: 'scaled-logits', factor: 100 },
  ]
  const picture = () =>
    tf.tensor(
      Array.from({ length: 32 }, (_, i) => ((i * 5) % 17) / 17),
      [2, 4, 4, 1],
    )

  test('a defended model draws anew at each call, the same draws from the same seed, and averages when told', async () => {
    const x = picture()
    const [one, other] = [defended(model, vendor, 5), defended(model, vendor, 5)]
    const first = [...(await one.logitsArray(x))]
    const second = [...(await one.logitsArray(x))]
    expect(first).not.toEqual(second)
    expect([...(await other.logitsArray(x))]).toEqual(first)
    const mean = await averaged(defended(model, vendor, 5), 2).logitsArray(x)
    mean.forEach((value, i) => expect(value).toBeCloseTo((first[i]! + second[i]!) / 2, 3))
    x.dispose()
  })

  test('the honest gradient through a staircase is 0, and that of one who knows it is the network’s', async () => {
    const x = picture()
    const rounded: StageSpec[] = [{ id: 'bit-depth', levels: 4 }]
    const honest = await defended(model, rounded, 1).lossAndGradient(x, [0, 1])
    expect((await honest.gradient.data()).every((slope) => slope === 0)).toBe(true)
    const { entry, options } = readStage(rounded[0]!)
    const seen = entry.forward(x, options, createRng(1))
    const there = await model.lossAndGradient(seen, [0, 1], { kind: 'margin' })
    const knowing = await adaptive(model, rounded, 1).lossAndGradient(x, [0, 1])
    expect([...(await knowing.gradient.data())]).toEqual([...(await there.gradient.data())])
    expect([...(await knowing.loss.data())]).toEqual([...(await there.loss.data())])
    tf.dispose([
      x,
      seen,
      honest.loss,
      honest.gradient,
      there.loss,
      there.gradient,
      knowing.loss,
      knowing.gradient,
    ])
  })

  test('without a staircase the gradient is that of the whole composition', async () => {
    const specs: StageSpec[] = [
      { id: 'median-smoothing', window: 2 },
      { id: 'scaled-logits', factor: 3 },
    ]
    const values = Float32Array.from({ length: 16 }, (_, i) => 0.05 + ((i * 7) % 16) / 17)
    const lossAt = async (pixels: Float32Array) => {
      const x = tf.tensor(pixels, [1, 4, 4, 1])
      const { loss, gradient } = await defended(model, specs, 1).lossAndGradient(x, [1])
      const result = { loss: (await loss.data())[0]!, gradient: await gradient.data() }
      tf.dispose([x, loss, gradient])
      return result
    }
    const { gradient } = await lossAt(values)
    for (let i = 0; i < 16; i += 5) {
      const [up, down] = [1e-2, -1e-2].map((by) => values.map((value, j) => (j === i ? value + by : value)))
      expect(gradient[i]).toBeCloseTo(((await lossAt(up!)).loss - (await lossAt(down!)).loss) / 2e-2, 2)
    }
  })

  test('leaks nothing when the network fails on the way', async () => {
    const x = picture()
    const broken = { ...model, logits: () => Promise.reject(new Error('gone')) }
    await expect(defended(broken, vendor, 1).lossAndGradient(x, [0, 1])).rejects.toThrow('gone')
    const halfway = { ...model, vjp: () => Promise.reject(new Error('lost')) }
    await expect(defended(halfway, vendor.slice(1), 1).lossAndGradient(x, [0, 1])).rejects.toThrow('lost')
    x.dispose()
  })
})
