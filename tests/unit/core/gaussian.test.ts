import { describe, expect, test } from 'vitest'
import { addNoise, gaussian } from '../../../src/core/gaussian.ts'
import { createRng } from '../../../src/core/rng.ts'

describe('gaussian', () => {
  const rng = createRng(1, 'gaussian')
  const sample = Float64Array.from({ length: 1_000_000 }, () => gaussian(rng))
  const share = (holds: (x: number) => boolean) => sample.filter(holds).length / sample.length
  const moment = (power: number) => sample.reduce((sum, x) => sum + x ** power, 0) / sample.length

  test('has the moments of the bell', () => {
    expect(Math.abs(moment(1))).toBeLessThan(0.004)
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.006)
    expect(Math.abs(moment(3))).toBeLessThan(0.016)
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.04)
  })

  // Φ(b) − Φ(a); five standard errors either way. 3.654 is where the ziggurat's tail begins.
  test.each([
    [-0.2, 0.2, 0.158519],
    [0.5, 1, 0.149882],
    [-1.5, -1, 0.091848],
    [2, 3, 0.0214],
    [3, 3.654, 0.0012208],
    [3.654, 9, 0.00012909],
    [-9, -3.654, 0.00012909],
  ])('between %f and %f lie %f of it', (from, to, expected) => {
    const error = 5 * Math.sqrt((expected * (1 - expected)) / sample.length)
    expect(Math.abs(share((x) => x > from && x <= to) - expected)).toBeLessThan(error)
  })

  test('addNoise: the same seed adds the same, a deviation of 0 nothing', () => {
    const add = (deviation: number) => addNoise(new Float32Array(50).fill(0.5), deviation, createRng(3))
    expect(add(0.25)).toEqual(add(0.25))
    expect(add(0.25)).not.toEqual(add(0.5))
    expect(add(0)).toEqual(new Float32Array(50).fill(0.5))
  })
})
