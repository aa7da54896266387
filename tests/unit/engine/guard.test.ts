import { expect, test } from 'vitest'
import type { WireTensor } from '../../../src/engine/capability-protocol.ts'
import { Guard } from '../../../src/engine/guard.ts'

const rule = { neighbours: 2, threshold: 0.5, accounts: 3 }
/** Pictures of one grey pixel. */
const pictures = (...greys: number[]): WireTensor => ({
  shape: [greys.length, 1, 1, 1],
  dtype: 'float32',
  values: Float32Array.from(greys),
})

test('closes an account at the query that lies too near to its earlier ones, and for good', () => {
  const guard = new Guard(rule)
  guard.admit('oracle.scores', pictures(0, 0.1), null)
  expect(() => guard.admit('oracle.scores', pictures(0.2), 0)).toThrow(
    /account 0 has been closed: a picture lay 0\.15/,
  )
  expect(() => guard.admit('oracle.scores', pictures(9), undefined)).toThrow(
    /account 0 is closed: a picture lay/,
  )
  expect(guard.figures()).toEqual({ used: 1, closed: 1 })
})

test('one account knows nothing of another', () => {
  const guard = new Guard(rule)
  for (const account of [0, 1, 2]) guard.admit('oracle.decide', pictures(0, 0.1), account)
  expect(guard.figures()).toEqual({ used: 3, closed: 0 })
})

test('a batch is looked at row by row, and refused as a whole', () => {
  const guard = new Guard(rule)
  expect(() => guard.admit('oracle.decide', pictures(0, 0.1, 0.2), 1)).toThrow(
    expect.objectContaining({ code: 'budget-spent' }),
  )
})

test('pictures that differ may be asked about as often as one likes', () => {
  const guard = new Guard(rule)
  guard.admit('oracle.decide', pictures(0, 1, 2, 3, 4, 5, 6, 7), 2)
  expect(guard.figures()).toEqual({ used: 1, closed: 0 })
})

test.each([[3], [-1], [0.5], ['0'], [NaN]])('refuses account %s', (account) => {
  const guard = new Guard(rule)
  expect(() => guard.admit('oracle.decide', pictures(0), account)).toThrow(
    /oracle\.decide: account must be a whole number from 0 to 2; got/,
  )
})
