import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NeighbourIndex } from '../../../src/core/neighbours.ts'
import { createRng } from '../../../src/core/rng.ts'
import { runs } from '../../helpers/runs.ts'

/** Every distance, sorted: the definition. */
function plain(x: Float32Array, size: number, query: ArrayLike<number>, count: number, except: number) {
  return Array.from({ length: x.length / size }, (_, place) => {
    let square = 0
    for (let k = 0; k < size; k++) square += (query[k]! - x[place * size + k]!) ** 2
    return { place, square }
  })
    .filter(({ place }) => place !== except)
    .sort((a, b) => a.square - b.square || a.place - b.place)
    .slice(0, count)
}

describe('NeighbourIndex', () => {
  test('finds what a plain search finds, equals by their place', () => {
    // Whole numbers from a small range: many equal rows and equal distances; enough rows for several levels
    // of the tree.
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(1e6),
        (size, rows, count, seed) => {
          const rng = createRng(seed)
          const x = Float32Array.from({ length: rows * size }, () => rng.below(12))
          const index = new NeighbourIndex(x, size)
          for (let i = 0; i < 6; i++) {
            const place = rng.below(rows)
            const query = Float32Array.from({ length: size }, (_, k) =>
              i % 2 === 0 ? x[place * size + k]! : rng.below(12) + 0.5 * rng.below(2),
            )
            for (const except of [-1, place]) {
              const wanted = plain(x, size, query, count, except)
              const got = index.nearest(query, count, except)
              expect(got.places).toEqual(wanted.map((one) => one.place))
              expect(got.squares).toEqual(wanted.map((one) => one.square))
            }
          }
        },
      ),
      { numRuns: runs(60) },
    )
  })

  test('a thousand equal rows are a leaf, and no endless splitting', () => {
    const index = new NeighbourIndex(new Float32Array(3000).fill(0.25), 3)
    expect(index.nearest([0.25, 0.25, 0.25], 3)).toEqual({ places: [0, 1, 2], squares: [0, 0, 0] })
  })

  test('of fewer rows than asked for gives all', () => {
    expect(new NeighbourIndex(Float32Array.of(1, 3), 1).nearest([0], 5).places).toEqual([0, 1])
    expect(new NeighbourIndex(new Float32Array(0), 1).nearest([0], 5).places).toEqual([])
  })

  test('refuses numbers that are not finite and a count below 1', () => {
    expect(() => new NeighbourIndex(Float32Array.of(1, NaN), 1)).toThrow('row 1 with NaN')
    expect(() => new NeighbourIndex(Float32Array.of(1), 1).nearest([0], 0)).toThrow(RangeError)
  })
})
