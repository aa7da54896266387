import { describe, expect, test } from 'vitest'
import { featurePlane } from '../../../src/models/feature-plane.ts'

describe('the plane of two classes', () => {
  test('by hand: the first axis joins the middles, the second is the widest across', () => {
    const { place } = featurePlane(
      [
        [0, -1, 0],
        [0, 1, 0],
      ],
      [
        [4, -3, 0],
        [4, 3, 0],
      ],
    )
    expect(place([0, 0, 0])).toEqual([0, 0])
    const [x, y] = place([4, 2, 7])
    expect(x).toBeCloseTo(1)
    expect(Math.abs(y)).toBeCloseTo(0.5)
    expect(place([2, 0, 0])[0]).toBeCloseTo(0.5)
  })

  test('rows that vary nowhere else lie on a line', () => {
    const { place } = featurePlane([[0, 0]], [[2, 0]])
    expect(place([1, 5])).toEqual([0.5, 0])
  })

  test('refuses classes without rows, or in one place', () => {
    expect(() => featurePlane([], [[1]])).toThrow('at least one row')
    expect(() => featurePlane([[1]], [[1]])).toThrow('middles apart')
    expect(() => featurePlane([[NaN]], [[1]])).toThrow('middles apart')
  })
})
