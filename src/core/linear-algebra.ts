/** Small dense systems in plain numbers: a few dozen unknowns, the same digits in every realm. */
import { PerturbError } from './errors.ts'

export type Matrix = readonly ArrayLike<number>[]

/** Below this share of the largest entry a pivot is rounding error and nothing else. */
const singularBelow = 1e-11

/**
 * The x with a · x = b, by elimination with row exchange. a: n rows of n numbers, b: n numbers. Throws `bad-input` for
 * numbers that are not finite or do not fit, and for a singular system, naming the first unknown that no row settles.
 */
export function solveLinear(a: Matrix, b: ArrayLike<number>): number[] {
  const n = b.length
  if (a.length !== n || n === 0)
    throw fail(`as many equations as unknowns are needed; got ${a.length} rows and ${n} right-hand sides`)
  const rows = a.map((row, i) => {
    if (row.length !== n)
      throw fail(`row ${i} has ${row.length} numbers for ${n} unknowns; ask for one row an unknown`)
    return Float64Array.from([...Array.from(row), b[i]!])
  })
  const bad = rows.findIndex((row) => !row.every(Number.isFinite))
  if (bad >= 0)
    throw fail(
      `equation ${bad} holds a number that is not finite; an answer of exactly 0 or 1 has no finite log-odds`,
    )
  const size = Math.max(
    ...rows.map((row) => row.subarray(0, n).reduce((m, v) => Math.max(m, Math.abs(v)), 0)),
  )
  for (let column = 0; column < n; column++) {
    let best = column
    for (let i = column + 1; i < n; i++)
      if (Math.abs(rows[i]![column]!) > Math.abs(rows[best]![column]!)) best = i
    const pivot = rows[best]![column]!
    if (!(Math.abs(pivot) > singularBelow * size))
      throw fail(
        `the system is singular: unknown ${column} is settled by no equation, so ask about a row that moves it alone`,
      )
    ;[rows[column], rows[best]] = [rows[best]!, rows[column]!]
    for (let i = column + 1; i < n; i++) {
      const factor = rows[i]![column]! / pivot
      if (factor === 0) continue
      for (let j = column; j <= n; j++) rows[i]![j] = rows[i]![j]! - factor * rows[column]![j]!
    }
  }
  const x = new Array<number>(n).fill(0)
  for (let i = n - 1; i >= 0; i--) {
    let left = rows[i]![n]!
    for (let j = i + 1; j < n; j++) left -= rows[i]![j]! * x[j]!
    x[i] = left / rows[i]![i]!
  }
  return x
}

/**
 * The vector of length 1 on which the rows of a are smallest together (least ‖a · x‖): the normal of the plane through
 * points that carry a 1 behind them. Its sign is open. Inverse iteration from a fixed start; throws `bad-input`.
 */
export function nullVector(a: Matrix): number[] {
  const n = a[0]?.length ?? 0
  if (n === 0) throw fail('nullVector needs at least one row')
  const product = Array.from({ length: n }, () => new Float64Array(n))
  for (const [r, row] of a.entries()) {
    if (row.length !== n) throw fail(`row ${r} has ${row.length} numbers, the first has ${n}`)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) product[i]![j] = product[i]![j]! + row[i]! * row[j]!
  }
  const trace = product.reduce((sum, row, i) => sum + row[i]!, 0)
  // A whisper on the diagonal: an exact null vector would make the system singular.
  for (let i = 0; i < n; i++) product[i]![i] = product[i]![i]! + (1e-10 * trace) / n || 1e-300
  let x: number[] = Array.from({ length: n }, (_, i) => 1 + ((i * 7) % 11) / 11)
  for (let round = 0; round < 40; round++) {
    x = solveLinear(product, x)
    const length = Math.hypot(...x)
    x = x.map((value) => value / length)
  }
  return x
}

const fail = (what: string) => new PerturbError('bad-input', `linear system: ${what}`)
