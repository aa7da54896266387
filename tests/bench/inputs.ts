import { createRng } from '../../src/core/rng.ts'

/** Same numbers for both sides; what they are does not change how long the arithmetic takes. */
export function digits(count: number): Float32Array {
  const rng = createRng(1, 'bench/images')
  return Float32Array.from({ length: count * 784 }, () => Math.max(0, rng.uniform() * 2 - 1))
}

export function labels(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => i % 10)
}

/** The same for any shape of image. */
export function pixels(count: number, shape: readonly number[]): Float32Array {
  const rng = createRng(1, 'bench/images')
  const size = shape.reduce((product, n) => product * n, count)
  return Float32Array.from({ length: size }, () => Math.max(0, rng.uniform() * 2 - 1))
}
