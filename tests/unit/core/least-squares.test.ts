import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leastSquares } from '../../../src/core/least-squares.ts'
import { createRng } from '../../../src/core/rng.ts'
import { runs } from '../../helpers/runs.ts'

const times = (rows: readonly ArrayLike<number>[], x: ArrayLike<number>) =>
  rows.map((row) => Array.from(row).reduce((sum, value, j) => sum + value * x[j]!, 0))

describe('leastSquares', () => {
  test('solves a square system, and two right-hand sides at once', () => {
    // 2x + y = 5, x + 3y = 10 → (1, 3); and (1, 0) for (2, 1).
    const { solutions, rank, open } = leastSquares(
      [
        [2, 1],
        [1, 3],
      ],
      [
        [5, 10],
        [2, 1],
      ],
      2,
    )
    expect([rank, open]).toEqual([2, undefined])
    for (const [i, wanted] of [
      [1, 3],
      [1, 0],
    ].entries())
      wanted.forEach((value, j) => expect(solutions[i]![j]).toBeCloseTo(value, 14))
  })

  test('fits a line through three points as on paper', () => {
    // y = a + b·t at t = 0, 1, 2 with y = 0, 1, 1: a = 1/6, b = 1/2.
    const { solutions } = leastSquares(
      [
        [1, 0],
        [1, 1],
        [1, 2],
      ],
      [[0, 1, 1]],
      2,
    )
    expect(solutions[0]![0]).toBeCloseTo(1 / 6, 14)
    expect(solutions[0]![1]).toBeCloseTo(1 / 2, 14)
  })

  test('says which change no row would notice, and leaves it at 0', () => {
    // Unknowns 0 and 2 appear as their sum alone.
    const rows = [
      [1, 0, 1],
      [2, 1, 2],
      [3, 5, 3],
    ]
    const { solutions, rank, open } = leastSquares(rows, [[4, 9, 17]], 3)
    expect(rank).toBe(2)
    expect(times(rows, solutions[0]!).map((value) => Math.round(value * 1e9) / 1e9)).toEqual([4, 9, 17])
    for (const value of times(rows, open!)) expect(Math.abs(value)).toBeLessThan(1e-14)
    expect(Math.hypot(...open!)).toBeCloseTo(1, 14)
    expect(Math.min(Math.abs(solutions[0]![0]!), Math.abs(solutions[0]![2]!))).toBe(0)
  })

  test('fewer rows than unknowns, and none at all', () => {
    const { rank, open } = leastSquares([[0, 3, 4]], [[5]], 3)
    expect(rank).toBe(1)
    expect(times([[0, 3, 4]], open!)[0]).toBeCloseTo(0, 14)
    const nothing = leastSquares([], [[]], 2)
    expect(nothing).toMatchObject({ rank: 0 })
    expect([...nothing.solutions[0]!]).toEqual([0, 0])
    expect([...nothing.open!]).toEqual([1, 0])
  })

  test('is no worse for rows of very different sizes', () => {
    const { solutions, rank } = leastSquares(
      [
        [1e150, 1e150],
        [1e150, -1e150],
      ],
      [[3e150, 1e150]],
      2,
    )
    expect(rank).toBe(2)
    expect(solutions[0]![0]).toBeCloseTo(2, 12)
    expect(solutions[0]![1]).toBeCloseTo(1, 12)
  })

  test('what is left over is at right angles to every column', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 8 }),
        fc.nat(),
        (n, more, seed) => {
          const rng = createRng(seed, 'rows')
          const rows = Array.from({ length: n + more }, () => Array.from({ length: n }, () => rng.normal()))
          const right = rows.map(() => rng.normal())
          const { solutions, rank } = leastSquares(rows, [right], n)
          if (rank < n) return
          const left = times(rows, solutions[0]!).map((value, i) => right[i]! - value)
          const size = 1e-9 * (1 + Math.max(...solutions[0]!.map(Math.abs)))
          for (let j = 0; j < n; j++)
            expect(Math.abs(rows.reduce((sum, row, i) => sum + row[j]! * left[i]!, 0))).toBeLessThan(size)
        },
      ),
      { numRuns: runs(50) },
    )
  })

  test.each<[string, number[][], number[][], number, RegExp]>([
    ['a row that is too short', [[1]], [[1]], 2, /row 0 must hold 2 numbers; got 1/],
    ['NaN', [[NaN]], [[1]], 1, /row 0 holds a number that is not finite/],
    [
      'an infinite right-hand side',
      [[1]],
      [[Infinity]],
      1,
      /right-hand side holds a number that is not finite/,
    ],
    ['too few right-hand sides', [[1], [2]], [[1]], 1, /a number for each of the 2 rows; got 1/],
    ['no unknown', [[]], [[1]], 0, /at least one unknown/],
  ])('refuses %s', (_, rows, rights, unknowns, message) =>
    expect(() => leastSquares(rows, rights, unknowns)).toThrow(message),
  )
})
