import '../../../src/core/cpu-backend.ts'
import { beforeAll, expect, it } from 'vitest'
import * as tf from '../../../src/core/tf.ts'
import { formatLine, formatValue, maxLineCharacters } from '../../../src/sandbox/runtime/format.ts'

beforeAll(async () => void (await tf.setBackend('cpu')))

it.each([
  [['loss', 0.5, -0, null, undefined, true, 10n], 'loss 0.5 -0 null undefined true 10n'],
  [[{ a: 1, b: "it's", c: [1, { d: [2, [3]] }] }], "{ a: 1, b: 'it\\'s', c: [1, { d: [2 items] }] }"],
  [[[]], '[]'],
  [[{}], '{}'],
  [[new Map([['k', [1]]]), new Set([1, 2])], "Map(1) {'k' => [1]} Set(2) {1, 2}"],
  [[Float32Array.of(0.1, 2)], 'Float32Array(2) [0.1, 2]'],
  [[new TypeError('bad')], 'TypeError: bad'],
  [[Promise.resolve(1)], 'Promise (write await in front of the call to get its value)'],
  [[function step() {}, () => 1, Symbol('s')], '[function step] [function without a name] Symbol(s)'],
])('prints case %#', (values, text) => expect(formatLine(values)).toBe(text))

it('prints a tensor as its shape and first numbers', () => {
  expect(formatValue(tf.tensor([[0.123456, 1]]))).toBe('Tensor (1, 2) float32 [0.1235, 1]')
  expect(formatValue(tf.zeros([100, 28, 28, 1]))).toBe(
    `Tensor (100, 28, 28, 1) float32 [${'0, '.repeat(12)}… 78400 in all]`,
  )
  expect(formatValue(tf.scalar(3, 'int32'))).toBe('Tensor () int32 3')
  const gone = tf.zeros([2])
  gone.dispose()
  expect(formatValue({ gone })).toBe('{ gone: Tensor (2) float32, disposed }')
})

it('survives whatever it is given', () => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  expect(formatValue(circle)).toBe('{ self: [circular] }')
  const trap = {
    get boom() {
      throw new Error('boom')
    },
  }
  expect(formatValue(trap)).toBe('[a value that cannot be shown]')
  const liar = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('no')
      },
    },
  )
  expect(formatValue(liar)).toBe('[a value that cannot be shown]')
  expect(formatValue(Array.from({ length: 1e6 }, () => 1))).toMatch(/… 1000000 in all\]$/)
  expect(formatLine(['x'.repeat(1e6)]).length).toBeLessThan(maxLineCharacters + 50)
})
