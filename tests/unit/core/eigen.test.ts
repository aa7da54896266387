import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { principalComponents, projected, symmetricEigen } from '../../../src/core/eigen.ts'
import { createRng } from '../../../src/core/rng.ts'
import { runs } from '../../helpers/runs.ts'

describe('symmetricEigen', () => {
  test('worked by hand: [[2, 1], [1, 2]] has 3 along (1, 1) and 1 across it', () => {
    const { values, vectors } = symmetricEigen([2, 1, 1, 2], 2)
    expect([...values]).toEqual([expect.closeTo(3, 14), expect.closeTo(1, 14)])
    for (const value of vectors[0]!) expect(value).toBeCloseTo(Math.SQRT1_2, 14)
    expect(vectors[1]![0]! + vectors[1]![1]!).toBeCloseTo(0, 14)
  })

  test('its vectors are orthonormal and put the matrix together again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(1e6), fc.boolean(), (n, seed, degenerate) => {
        const rng = createRng(seed)
        const a = new Float64Array(n * n)
        for (let i = 0; i < n; i++)
          for (let j = i; j < n; j++) a[i * n + j] = a[j * n + i] = degenerate ? rng.below(2) : rng.normal()
        const { values, vectors } = symmetricEigen(a, n)
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            const dot = vectors[i]!.reduce((sum, value, k) => sum + value * vectors[j]![k]!, 0)
            expect(Math.abs(dot - Number(i === j))).toBeLessThan(1e-12)
            const again = values.reduce((sum, value, k) => sum + value * vectors[k]![i]! * vectors[k]![j]!, 0)
            expect(Math.abs(again - a[i * n + j]!)).toBeLessThan(1e-11)
          }
        for (let i = 1; i < n; i++) expect(values[i]).toBeLessThanOrEqual(values[i - 1]!)
      }),
      { numRuns: runs(40) },
    )
  })

  test('ends on zeros and on numbers near the end of what a double holds', () => {
    expect([...symmetricEigen([0, 0, 0, 0], 2).values]).toEqual([0, 0])
    expect([...symmetricEigen([5e-324, 5e-324, 5e-324, 5e-324], 2).values].every(Number.isFinite)).toBe(true)
    expect([...symmetricEigen([1, 1e-300, 1e-300, 1], 2).values]).toEqual([1, 1])
  })

  test('refuses what is not square or not finite', () => {
    expect(() => symmetricEigen([1, 2, 3], 2)).toThrow('expected 2 × 2 finite numbers; got 3')
    expect(() => symmetricEigen([1, NaN, NaN, 1], 2)).toThrow('some not finite')
  })
})

describe('principalComponents', () => {
  // Along (3, 4): at −10, 0 and 10 of its length, around (1, 1).
  const x = [-5, -7, 1, 1, 7, 9]
  test('finds the line that rows lie on', () => {
    const found = principalComponents(x, 2)
    expect([...found.mean]).toEqual([1, 1])
    expect([...found.directions[0]!]).toEqual([expect.closeTo(0.6, 12), expect.closeTo(0.8, 12)])
    expect(found.variances[0]).toBeCloseTo(100, 10)
    expect(found.variances[1]).toBeCloseTo(0, 10)
    expect(found.singularValues[0]).toBeCloseTo(Math.sqrt(200), 10)
    const along = projected(x, principalComponents(x, 2, 1))
    expect([...along].map((value) => Math.round(value * 1e9) / 1e9 + 0)).toEqual([-10, 0, 10])
  })

  test('refuses a single row', () => {
    expect(() => principalComponents([1, 2], 2)).toThrow('at least two rows of 2 numbers')
  })
})
