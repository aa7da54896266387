/**
 * Eigenvectors of symmetric matrices by Jacobi's rotations (1846; in cyclic order, Golub & Van Loan 2013,
 * §8.5): slow for large matrices, accurate to the last digits, and made of additions, multiplications,
 * divisions and roots alone, so equal on every machine.
 */
import { PerturbError } from './errors.ts'

export interface Eigen {
  /** Largest first. */
  values: Float64Array
  /** vectors[i] belongs to values[i]: of length 1, its element of the largest size positive. */
  vectors: Float64Array[]
}

/**
 * matrix: n × n, row-major, symmetric; only its upper half is read. Throws `bad-input` when it is not square
 * or not finite.
 */
export function symmetricEigen(matrix: ArrayLike<number>, n: number): Eigen {
  if (matrix.length !== n * n || Array.prototype.some.call(matrix, (value) => !Number.isFinite(value)))
    throw new PerturbError(
      'bad-input',
      `symmetricEigen: expected ${n} × ${n} finite numbers; got ${matrix.length}, or some not finite`,
    )
  const a = Float64Array.from({ length: n * n }, (_, k) => {
    const [i, j] = [Math.floor(k / n), k % n]
    return matrix[Math.min(i, j) * n + Math.max(i, j)]!
  })
  const v = new Float64Array(n * n)
  for (let i = 0; i < n; i++) v[i * n + i] = 1
  const size = a.reduce((sum, value) => sum + value * value, 0)
  // Converges quadratically: a dozen sweeps are plenty, and the limit is there so that it ends whatever it is
  // given.
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) off += a[i * n + j]! ** 2
    if (off <= 1e-34 * size) break
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q)
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j]! - a[i * n + i]! || i - j)
  return {
    values: Float64Array.from(order, (i) => a[i * n + i]!),
    vectors: order.map((column) => signed(Float64Array.from({ length: n }, (_, i) => v[i * n + column]!))),
  }
}

/** Makes a[p][q] zero by a rotation of the plane (p, q), in a (both halves) and in the vectors v. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!
  if (apq === 0) return
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (let k = 0; k < n; k++) {
    const [akp, akq] = [a[k * n + p]!, a[k * n + q]!]
    a[k * n + p] = c * akp - s * akq
    a[k * n + q] = s * akp + c * akq
    const [vkp, vkq] = [v[k * n + p]!, v[k * n + q]!]
    v[k * n + p] = c * vkp - s * vkq
    v[k * n + q] = s * vkp + c * vkq
  }
  for (let k = 0; k < n; k++) {
    const [apk, aqk] = [a[p * n + k]!, a[q * n + k]!]
    a[p * n + k] = c * apk - s * aqk
    a[q * n + k] = s * apk + c * aqk
  }
}

function signed(vector: Float64Array): Float64Array {
  const largest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0)
  return largest < 0 ? vector.map((value) => -value) : vector
}

export interface Principal {
  mean: Float64Array
  /** Directions, the one of the largest variance first. */
  directions: Float64Array[]
  /** Sample variances along them (over rows − 1). */
  variances: Float64Array
  /** Singular values of the centred rows. */
  singularValues: Float64Array
}

/**
 * Principal components of rows × size numbers, row-major: the `count` directions of most variance (fewer when
 * the rows have fewer numbers). Throws `bad-input` for fewer than two rows and for numbers that are not
 * finite.
 */
export function principalComponents(x: ArrayLike<number>, size: number, count = size): Principal {
  const rows = x.length / size
  if (!(Number.isInteger(rows) && rows >= 2))
    throw new PerturbError(
      'bad-input',
      `principalComponents: expected at least two rows of ${size} numbers; got ${x.length} numbers`,
    )
  const mean = new Float64Array(size)
  for (let i = 0; i < rows; i++) for (let k = 0; k < size; k++) mean[k]! += x[i * size + k]! / rows
  const scatter = new Float64Array(size * size)
  const centred = new Float64Array(size)
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < size; k++) centred[k] = x[i * size + k]! - mean[k]!
    for (let j = 0; j < size; j++) {
      const factor = centred[j]!
      if (factor === 0) continue
      for (let k = j; k < size; k++) scatter[j * size + k]! += factor * centred[k]!
    }
  }
  const { values, vectors } = symmetricEigen(scatter, size)
  const kept = values.slice(0, count).map((value) => Math.max(0, value))
  return {
    mean,
    directions: vectors.slice(0, count),
    variances: kept.map((value) => value / (rows - 1)),
    singularValues: kept.map(Math.sqrt),
  }
}

/** Rows in the coordinates of the directions: rows × directions numbers. */
export function projected(x: ArrayLike<number>, { mean, directions }: Principal): Float64Array {
  const [size, count] = [mean.length, directions.length]
  const rows = x.length / size
  const result = new Float64Array(rows * count)
  for (let i = 0; i < rows; i++)
    for (let c = 0; c < count; c++) {
      const direction = directions[c]!
      let sum = 0
      for (let k = 0; k < size; k++) sum += (x[i * size + k]! - mean[k]!) * direction[k]!
      result[i * count + c] = sum
    }
  return result
}
