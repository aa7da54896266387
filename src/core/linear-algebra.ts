/** Small dense systems in plain numbers: a few dozen unknowns, the same digits in every realm. */
import { cholesky, solve } from './cholesky.ts'
import { PerturbError } from './errors.ts'
import { leastSquares } from './least-squares.ts'

export type Matrix = readonly ArrayLike<number>[]

/**
 * The x with a · x = b. a: n rows of n numbers, b: n numbers. Throws `bad-input` for numbers that are not finite or do not
 * fit, and for a singular system, naming an unknown that no row settles.
 */
export function solveLinear(a: Matrix, b: ArrayLike<number>): number[] {
  const n = b.length
  if (a.length !== n || n === 0)
    throw fail(`as many equations as unknowns are needed; got ${a.length} rows and ${n} right-hand sides`)
  for (const [i, row] of a.entries()) {
    if (row.length !== n)
      throw fail(`row ${i} has ${row.length} numbers for ${n} unknowns; ask for one row an unknown`)
    if (![...Array.from(row), b[i]!].every(Number.isFinite))
      throw fail(
        `equation ${i} holds a number that is not finite; an answer of exactly 0 or 1 has no finite log-odds`,
      )
  }
  const { solutions, open } = leastSquares(a, [b], n)
  if (open)
    throw fail(
      `the system is singular: unknown ${largestIn(open)} is settled by no equation, so ask about a row that moves it alone`,
    )
  return Array.from(solutions[0]!)
}

/** The last of the largest, so that of two unknowns that hang together the later one is named. */
const largestIn = (values: Float64Array) =>
  values.reduce((best, value, i) => (Math.abs(value) >= Math.abs(values[best]!) - 1e-9 ? i : best), 0)

/**
 * The vector of length 1 on which the rows of a are smallest together (least ‖a · x‖): the normal of the plane through
 * points that carry a 1 behind them. Its sign is open. Inverse iteration from a fixed start; throws `bad-input`.
 */
export function nullVector(a: Matrix): number[] {
  const n = a[0]?.length ?? 0
  if (n === 0) throw fail('nullVector needs at least one row')
  const product = new Float64Array(n * n)
  for (const [r, row] of a.entries()) {
    if (row.length !== n) throw fail(`row ${r} has ${row.length} numbers, the first has ${n}`)
    if (!Array.from(row).every(Number.isFinite)) throw fail(`row ${r} holds a number that is not finite`)
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) product[i * n + j] = product[i * n + j]! + row[i]! * row[j]!
  }
  let trace = 0
  for (let i = 0; i < n; i++) trace += product[i * n + i]!
  // A whisper on the diagonal: an exact null vector would make the system singular.
  for (let i = 0; i < n; i++) product[i * n + i] = product[i * n + i]! + (1e-10 * trace) / n || 1e-300
  const factor = cholesky(product, n)
  let x = Array.from({ length: n }, (_, i) => 1 + ((i * 7) % 11) / 11)
  for (let round = 0; round < 40; round++) {
    const next = solve(factor, x)
    const length = Math.hypot(...next)
    x = Array.from(next, (value) => value / length)
  }
  return x
}

const fail = (what: string) => new PerturbError('bad-input', `linear system: ${what}`)
