import { beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { Held } from '../../../src/core/held.ts'
import { adversarialRows, oneHotRows, perRow, pickRows } from '../../../src/core/rows.ts'
import * as tf from '../../../src/core/tf.ts'

beforeAll(() => startBackend('cpu', readStatic))
let before = 0
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

describe('tensors held through a loop', () => {
  const make = () => new Held(() => ({ sum: tf.scalar(0), last: tf.scalar(-1) }))
  const read = (tensor: tf.Tensor) => tensor.dataSync()[0]

  test('a step replaces what it returns and frees what that was, and what it used up', () => {
    const held = make()
    for (const value of [1, 2, 3]) {
      const spent = tf.scalar(value)
      held.step(({ sum }) => ({ sum: tf.add(sum, spent) }), spent)
      expect(tf.memory().numTensors).toBe(before + 2)
    }
    expect(read(held.now.sum)).toBe(6)
    expect(read(held.now.last)).toBe(-1)
    held.dispose()
  })

  test('a step that returns a tensor unchanged keeps it', () => {
    const held = make()
    held.step(({ sum }) => ({ sum }))
    expect(read(held.now.sum)).toBe(0)
    held.dispose()
  })

  test('a step that throws changes nothing and frees what it used up', () => {
    const held = make()
    const spent = tf.scalar(5)
    const fail = () =>
      held.step(({ sum }) => {
        tf.add(sum, spent)
        throw new Error('no')
      }, spent)
    expect(fail).toThrow('no')
    expect(spent.isDisposed).toBe(true)
    expect(read(held.now.sum)).toBe(0)
    held.dispose()
  })

  test('what is taken outlives the loop', () => {
    const held = make()
    const taken = held.take('last')
    held.dispose()
    expect(read(taken)).toBe(-1)
    taken.dispose()
  })
})

describe('rows', () => {
  const plain = (tensor: tf.Tensor) => tensor.arraySync()

  test('a number a row scales the row, whatever its shape', () => {
    tf.tidy(() => {
      const x = tf.ones([2, 1, 2])
      expect(plain(tf.mul(x, perRow(tf.tensor1d([2, 3]), x)))).toEqual([[[2, 2]], [[3, 3]]])
    })
  })

  test('picks rows by a mask', () => {
    tf.tidy(() => {
      const picked = pickRows(tf.tensor1d([true, false], 'bool'), tf.ones([2, 2]), tf.zeros([2, 2]))
      expect(plain(picked)).toEqual([
        [1, 1],
        [0, 0],
      ])
    })
  })

  test('a success is another class than the label, or the target itself; ties go to the first class', () => {
    tf.tidy(() => {
      const logits = tf.tensor2d([
        [1, 2],
        [2, 1],
        [1, 1],
      ])
      const classes = [0, 0, 1]
      expect(plain(adversarialRows(logits, { kind: 'misclassification', labels: classes }))).toEqual([
        1, 0, 1,
      ])
      expect(plain(adversarialRows(logits, { kind: 'targeted', targets: classes }))).toEqual([0, 1, 0])
    })
  })

  test('classes as rows of a one among zeros', () => {
    const rows = oneHotRows([2, 0], 3)
    expect(plain(rows)).toEqual([
      [0, 0, 1],
      [1, 0, 0],
    ])
    rows.dispose()
  })
})
