import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cholesky, forwardSolve, solve } from '../../../src/core/cholesky.ts'
import { createRng } from '../../../src/core/rng.ts'

test('worked by hand: [[4, 2], [2, 5]] is L·Lᵀ with L = [[2, 0], [1, 2]]', () => {
  const factor = cholesky(Float64Array.of(4, 2, 2, 5), 2)
  expect([factor.lower[0], factor.lower[2], factor.lower[3]]).toEqual([2, 1, 2])
  expect([...solve(factor, [8, 12])]).toEqual([1, 2])
  expect([...forwardSolve(factor, [8, 12])]).toEqual([4, 4])
})

test('solves what it is given', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(1e6), (n, seed) => {
      const rng = createRng(seed)
      const b = Float64Array.from({ length: n * n }, () => rng.normal())
      const a = new Float64Array(n * n)
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) {
          for (let k = 0; k < n; k++) a[i * n + j]! += b[i * n + k]! * b[j * n + k]!
          if (i === j) a[i * n + j]! += 0.1
        }
      const x = Float64Array.from({ length: n }, () => rng.normal())
      const right = Float64Array.from({ length: n }, (_, i) =>
        x.reduce((sum, value, k) => sum + a[i * n + k]! * value, 0),
      )
      const factor = cholesky(a.slice(), n)
      solve(factor, right).forEach((value, i) => expect(Math.abs(value - x[i]!)).toBeLessThan(1e-8))
      const half = forwardSolve(factor, right)
      const energy = x.reduce((sum, value, i) => sum + value * right[i]!, 0)
      expect(half.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(energy, 6)
    }),
  )
})

test('refuses a matrix that is not positive definite', () => {
  expect(() => cholesky(Float64Array.of(1, 2, 2, 1), 2)).toThrow('not positive definite (pivot 1 is -3)')
  expect(() => cholesky(Float64Array.of(NaN), 1)).toThrow('not positive definite')
})
