import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nullVector, solveLinear } from '../../../src/core/linear-algebra.ts'
import { runs } from '../../helpers/runs.ts'

test('solves a system by hand, with a zero where the first pivot would stand', () => {
  expect(
    solveLinear(
      [
        [0, 2],
        [1, 1],
      ],
      [4, 5],
    ),
  ).toEqual([expect.closeTo(3, 12), expect.closeTo(2, 12)])
})

test('what it finds satisfies random systems of up to 31 unknowns', () => {
  const systems = fc.integer({ min: 1, max: 31 }).chain((n) =>
    fc.tuple(
      fc.array(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: n, maxLength: n }), {
        minLength: n,
        maxLength: n,
      }),
      fc.array(fc.integer({ min: -50, max: 50 }), { minLength: n, maxLength: n }),
    ),
  )
  fc.assert(
    fc.property(systems, ([rows, b]) => {
      // A heavy diagonal keeps it far from singular.
      const a = rows.map((row, i) => row.map((value, j) => (i === j ? 3000 + value : value)))
      const x = solveLinear(a, b)
      for (const [i, row] of a.entries())
        expect(row.reduce((sum, value, j) => sum + value * x[j]!, 0)).toBeCloseTo(b[i]!, 8)
    }),
    { numRuns: runs(50) },
  )
})

test('a singular system names the unknown that moves most where no equation looks', () => {
  // Whatever goes 2 up in the first unknown and 1 down in the second changes neither equation.
  const same = [
    [1, 2],
    [2, 4],
  ]
  expect(() => solveLinear(same, [1, 2])).toThrow(/singular: unknown 0 is settled by no equation/)
  expect(() => solveLinear([[0]], [1])).toThrow(/singular: unknown 0/)
})

test.each<[string, number[][], number[], RegExp]>([
  ['an infinite right-hand side', [[1]], [Infinity], /equation 0 holds a number that is not finite/],
  ['NaN', [[NaN]], [1], /not finite/],
  ['too few rows', [[1, 0]], [1, 2], /as many equations as unknowns/],
  ['a ragged row', [[1], [1, 2]], [1, 2], /row 0 has 1 numbers for 2 unknowns/],
  ['nothing', [], [], /as many equations/],
])('refuses %s', (_, a, b, sentence) => {
  expect(() => solveLinear(a, b)).toThrow(sentence)
})

test('the plane through three points on paper', () => {
  // x + 2y − 4 = 0
  const points = [
    [4, 0, 1],
    [0, 2, 1],
    [2, 1, 1],
  ]
  const [a, b, c] = nullVector(points) as [number, number, number]
  expect(Math.hypot(a, b, c)).toBeCloseTo(1, 12)
  expect(b / a).toBeCloseTo(2, 6)
  expect(c / a).toBeCloseTo(-4, 6)
})

test('all zeros and a single point have some null vector of length 1', () => {
  expect(Math.hypot(...nullVector([[0, 0, 0]]))).toBeCloseTo(1, 12)
  const [a, b] = nullVector([[3, 4]]) as [number, number]
  expect(3 * a + 4 * b).toBeCloseTo(0, 6)
  expect(() => nullVector([])).toThrow(/at least one row/)
  expect(() => nullVector([[1, 2], [1]])).toThrow(/row 1 has 1 numbers/)
  expect(() => nullVector([[1, NaN]])).toThrow(/row 0 holds a number that is not finite/)
})
