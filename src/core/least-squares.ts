/**
 * Least squares in double precision by Householder reflections with column exchange (Businger & Golub 1965; Golub & Van
 * Loan 2013, §5.4.2), which also says how many unknowns the rows settle. Additions, multiplications and square roots
 * only, so the same digits everywhere.
 */
import { PerturbError } from './errors.ts'

export interface LeastSquares {
  /** One for each right-hand side. Unknowns that the rows leave open are 0 in it. */
  solutions: Float64Array[]
  /** How many unknowns the rows settle. */
  rank: number
  /** Of length 1, when rank is too low: a change of the unknowns that no row would notice. */
  open?: Float64Array
}

/** Below this share of the largest column, what is left of a column is rounding. */
const negligible = 1e-11

/**
 * The x with least ‖rows · x − right‖ for each right-hand side. rows: m of n numbers, m ≥ 0; each right has m numbers.
 * Neither is changed. Throws `bad-input` when they do not fit or hold a number that is not finite.
 */
export function leastSquares(
  rows: readonly ArrayLike<number>[],
  rights: readonly ArrayLike<number>[],
  unknowns: number,
): LeastSquares {
  check(rows, rights, unknowns)
  const m = rows.length
  const columns = Array.from({ length: unknowns }, (_, j) => Float64Array.from(rows, (row) => row[j]!))
  const sides = rights.map((right) => Float64Array.from(right))
  /** order[k]: which unknown the k-th column is. */
  const order = Array.from({ length: unknowns }, (_, j) => j)
  const largest = Math.max(0, ...columns.map((column) => lengthFrom(column, 0)))
  const diagonal: number[] = []
  for (let k = 0; k < Math.min(m, unknowns); k++) {
    let best = k
    let most = -1
    for (let j = k; j < unknowns; j++) {
      const left = lengthFrom(columns[j]!, k)
      if (left > most) [best, most] = [j, left]
    }
    if (!(most > negligible * largest)) break
    swap(columns, k, best)
    swap(order, k, best)
    const pivot = columns[k]!
    // Away from the pivot's own sign, so that nothing cancels.
    const lead = pivot[k]! > 0 ? -most : most
    const v = pivot.slice(k)
    v[0]! -= lead
    const square = v.reduce((sum, value) => sum + value * value, 0)
    for (const other of [...columns.slice(k + 1), ...sides]) reflect(other, v, square, k)
    diagonal.push(lead)
  }
  const rank = diagonal.length
  const solve = (right: ArrayLike<number>) => {
    const x = new Float64Array(unknowns)
    for (let i = rank - 1; i >= 0; i--) {
      let left = right[i]!
      for (let j = i + 1; j < rank; j++) left -= columns[j]![i]! * x[order[j]!]!
      x[order[i]!] = left / diagonal[i]!
    }
    return x
  }
  const solutions = sides.map(solve)
  if (rank === unknowns) return { solutions, rank }
  const open = solve(Float64Array.from({ length: rank }, (_, i) => -columns[rank]![i]!))
  open[order[rank]!] = 1
  const length = lengthFrom(open, 0)
  return { solutions, rank, open: open.map((value) => value / length) }
}

/** values ← (I − 2vvᵀ/‖v‖²) values, on the entries from `from` on. */
function reflect(values: Float64Array, v: Float64Array, square: number, from: number): void {
  let along = 0
  for (let i = 0; i < v.length; i++) along += v[i]! * values[from + i]!
  const twice = (2 * along) / square
  for (let i = 0; i < v.length; i++) values[from + i]! -= twice * v[i]!
}

/** Length of the entries from `from` on, without overflow on the way. */
function lengthFrom(values: Float64Array, from: number): number {
  let most = 0
  for (let i = from; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!))
  if (most === 0) return 0
  let squares = 0
  for (let i = from; i < values.length; i++) squares += (values[i]! / most) ** 2
  return most * Math.sqrt(squares)
}

function swap<T>(items: T[], i: number, j: number): void {
  const kept = items[i]!
  items[i] = items[j]!
  items[j] = kept
}

function check(
  rows: readonly ArrayLike<number>[],
  rights: readonly ArrayLike<number>[],
  unknowns: number,
): void {
  const fail = (what: string) => new PerturbError('bad-input', `leastSquares: ${what}`)
  if (!(Number.isInteger(unknowns) && unknowns >= 1))
    throw fail(`at least one unknown is needed; got ${unknowns}`)
  const finite = (values: ArrayLike<number>) => Array.prototype.every.call(values, Number.isFinite)
  for (const [i, row] of rows.entries()) {
    if (row.length !== unknowns) throw fail(`row ${i} must hold ${unknowns} numbers; got ${row.length}`)
    if (!finite(row)) throw fail(`row ${i} holds a number that is not finite; leave it out`)
  }
  for (const right of rights) {
    if (right.length !== rows.length)
      throw fail(`a right-hand side needs a number for each of the ${rows.length} rows; got ${right.length}`)
    if (!finite(right)) throw fail('a right-hand side holds a number that is not finite; leave its row out')
  }
}
