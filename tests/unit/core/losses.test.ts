import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { lossRows, softCrossEntropyRows, type LossSpec } from '../../../src/core/losses.ts'
import * as tf from '../../../src/core/tf.ts'

beforeAll(() => startBackend('wasm', readStatic))

let before = 0
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors).toBe(before))

/** Loss of each row and gradient of their sum by the logits. */
async function lossOf(logits: number[][], y: number[], spec?: LossSpec) {
  const z = tf.tensor2d(logits)
  try {
    const { value, grad } = tf.tidy(() =>
      tf.valueAndGrad((input) => lossRows(input as tf.Tensor2D, y, spec))(z, tf.ones([y.length])),
    )
    const result = { loss: Array.from(await value.data()), gradient: (await grad.array()) as number[][] }
    tf.dispose([value, grad])
    return result
  } finally {
    z.dispose()
  }
}

const expectClose = (got: number[], expected: number[], digits = 6) => {
  expect(got.length).toBe(expected.length)
  for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, digits)
}

describe('losses, worked by hand', () => {
  it('cross-entropy is −log softmax, its gradient softmax − onehot', async () => {
    // softmax of (0, ln 2, ln 5) is (1, 2, 5) / 8.
    const { loss, gradient } = await lossOf(
      [
        [0, Math.log(2), Math.log(5)],
        [0, 0, 0],
      ],
      [1, 2],
    )
    expectClose(loss, [Math.log(4), Math.log(3)])
    expectClose(gradient[0]!, [1 / 8, 2 / 8 - 1, 5 / 8])
    expectClose(gradient[1]!, [1 / 3, 1 / 3, -2 / 3])
  })

  it('cross-entropy stays finite for huge scores', async () => {
    const { loss, gradient } = await lossOf([[1000, -1000, 0]], [1])
    expectClose(loss, [2000], 3)
    expectClose(gradient[0]!, [1, -1, 0])
  })

  it('margin is the best wrong score minus the true one', async () => {
    const { loss, gradient } = await lossOf(
      [
        [3, 1, 2],
        [1, 1, 4],
      ],
      [0, 0],
      { kind: 'margin' },
    )
    expectClose(loss, [-1, 3])
    expect(gradient).toEqual([
      [-1, 0, 1],
      [-1, 0, 1],
    ])
  })

  it('margin at a tie goes through the first of the tied classes', async () => {
    const { gradient } = await lossOf([[0, 0, 0, 0]], [1], { kind: 'margin' })
    expect(gradient).toEqual([[1, -1, 0, 0]])
  })

  it('DLR is eq. 6 of Croce & Hein', async () => {
    // Sorted 8, 4, 2, 1. Right class on top: −(8 − 4) / (8 − 2). Second row, true class 4: −(4 − 8) / (8 − 2).
    const { loss, gradient } = await lossOf(
      [
        [8, 4, 2, 1],
        [8, 4, 2, 1],
      ],
      [0, 1],
      { kind: 'dlr' },
    )
    expectClose(loss, [-4 / 6, 4 / 6])
    // d/dz0 of −(z0 − z1)/(z0 − z2) = −1/6 + 4/36; d/dz1 = 1/6; d/dz2 = −4/36.
    expectClose(gradient[0]!, [-1 / 6 + 4 / 36, 1 / 6, -4 / 36, 0])
  })

  it('targeted DLR is eq. 7', async () => {
    // −(z_y − z_t) / (z_π1 − (z_π3 + z_π4) / 2) with y = 0, t = 2: −(8 − 2) / (8 − 1.5).
    const { loss } = await lossOf([[8, 4, 2, 1]], [0], { kind: 'dlr', targets: [2] })
    expectClose(loss, [-6 / 6.5])
  })

  it('a row does not see its batch', async () => {
    for (const spec of [{ kind: 'cross-entropy' }, { kind: 'margin' }, { kind: 'dlr' }] as LossSpec[]) {
      const alone = await lossOf([[0.3, -1, 2, 0.1]], [3], spec)
      const among = await lossOf(
        [
          [5, 1, 2, 3],
          [0.3, -1, 2, 0.1],
        ],
        [0, 3],
        spec,
      )
      expect(among.gradient[1]).toEqual(alone.gradient[0])
      expect(among.loss[1]).toBe(alone.loss[0])
    }
  })
})

describe('losses refuse', () => {
  const loss = (y: number[], spec?: LossSpec) => {
    const z = tf.zeros([2, 3]) as tf.Tensor2D
    try {
      return tf.tidy(() => lossRows(z, y, spec).dataSync())
    } finally {
      z.dispose()
    }
  }
  it('labels that do not fit the rows or the classes', () => {
    expect(() => loss([0])).toThrow('y: expected 2 labels, one a row; got 1')
    expect(() => loss([0, 3])).toThrow('y[1]: expected a class from 0 to 2, got 3')
    expect(() => loss([Number.NaN, 0])).toThrow('y[0]: expected a class from 0 to 2, got NaN')
    expect(() => loss([0, 0.5])).toThrow('got 0.5')
    expect(() => loss([0, 0], { kind: 'dlr', targets: [0, 9] })).toThrow()
  })
  it('too few classes and unknown kinds', () => {
    expect(() => loss([0, 1], { kind: 'dlr', targets: [1, 0] })).toThrow(
      'dlr: needs at least 4 classes, got 3',
    )
    expect(() => loss([0, 1], { kind: 'hinge' } as unknown as LossSpec)).toThrow('no kind "hinge"')
  })
})

describe('cross-entropy towards probabilities', () => {
  const soft = (logits: number[][], targets: number[][]) => {
    const [z, t] = [tf.tensor2d(logits), tf.tensor2d(targets)]
    try {
      return tf.tidy(() => {
        const { value, grad } = tf.valueAndGrad((input) => softCrossEntropyRows(input as tf.Tensor2D, t))(
          z,
          tf.ones([logits.length]),
        )
        return { loss: Array.from(value.dataSync()), gradient: grad.arraySync() as number[][] }
      })
    } finally {
      tf.dispose([z, t])
    }
  }

  it('is Σ target · −log softmax, its gradient softmax − target', () => {
    // softmax of (0, ln 2, ln 5) is (1, 2, 5) / 8.
    const { loss, gradient } = soft([[0, Math.log(2), Math.log(5)]], [[0.5, 0.25, 0.25]])
    expectClose(loss, [0.5 * Math.log(8) + 0.25 * Math.log(4) + 0.25 * Math.log(8 / 5)])
    expectClose(gradient[0]!, [1 / 8 - 1 / 2, 0, 5 / 8 - 1 / 4])
  })

  it('towards all of one class is the loss of that label', async () => {
    const logits = [
      [1, -2, 0.5],
      [90, 0, -90],
    ]
    const label = await lossOf(logits, [2, 1])
    const { loss, gradient } = soft(logits, [
      [0, 0, 1],
      [0, 1, 0],
    ])
    expectClose(loss, label.loss, 4)
    for (const i of [0, 1]) expectClose(gradient[i]!, label.gradient[i]!)
  })

  it('refuses targets of another shape', () =>
    expect(() => soft([[1, 2]], [[1, 0, 0]])).toThrow(/expected targets of shape \[1,2\]; got \[1,3\]/))
})
