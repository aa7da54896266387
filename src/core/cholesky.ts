/**
 * Symmetric positive definite systems: A = L·Lᵀ (Golub & Van Loan 2013, §4.2), by roots, products and
 * quotients alone.
 */
import { PerturbError } from './errors.ts'

export interface Factor {
  /** n × n, row-major; what stands above the diagonal is never read. */
  readonly lower: Float64Array
  readonly n: number
}

/**
 * Takes `matrix` over (its lower half is read and overwritten). Throws `bad-input` when it is not positive
 * definite.
 */
export function cholesky(matrix: Float64Array, n: number): Factor {
  for (let j = 0; j < n; j++) {
    let pivot = matrix[j * n + j]!
    for (let k = 0; k < j; k++) pivot -= matrix[j * n + k]! ** 2
    if (!(pivot > 0))
      throw new PerturbError(
        'bad-input',
        `cholesky: the matrix is not positive definite (pivot ${j} is ${pivot}); add more to its diagonal`,
      )
    const root = Math.sqrt(pivot)
    matrix[j * n + j] = root
    for (let i = j + 1; i < n; i++) {
      let sum = matrix[i * n + j]!
      for (let k = 0; k < j; k++) sum -= matrix[i * n + k]! * matrix[j * n + k]!
      matrix[i * n + j] = sum / root
    }
  }
  return { lower: matrix, n }
}

/** L⁻¹·b: half of a solution; its squared length is bᵀ·A⁻¹·b. */
export function forwardSolve({ lower, n }: Factor, b: ArrayLike<number>): Float64Array {
  const x = Float64Array.from(b)
  for (let i = 0; i < n; i++) {
    let sum = x[i]!
    for (let k = 0; k < i; k++) sum -= lower[i * n + k]! * x[k]!
    x[i] = sum / lower[i * n + i]!
  }
  return x
}

/** A⁻¹·b. */
export function solve(factor: Factor, b: ArrayLike<number>): Float64Array {
  const { lower, n } = factor
  const x = forwardSolve(factor, b)
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i]!
    for (let k = i + 1; k < n; k++) sum -= lower[k * n + i]! * x[k]!
    x[i] = sum / lower[i * n + i]!
  }
  return x
}
