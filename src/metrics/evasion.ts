import { isAdversarial, type Criterion } from '../core/criteria.ts'
import { PerturbError } from '../core/errors.ts'
import type { Norm } from '../core/threat-model.ts'

export interface EvasionInput {
  /** Rows of inputs before and after, row-major; both hold the same number of elements. */
  originals: Float32Array
  adversarial: Float32Array
  /** Top class of each row after the attack, and the scores it came from when at hand. */
  readAfter: ArrayLike<number>
  logitsAfter?: ArrayLike<number>
  criterion: Criterion
  /** Smallest and largest legal element. */
  bounds: readonly [number, number]
}

export interface EvasionRow {
  /** Read as the criterion asks, with finite pixels and scores. Size and range are judged apart. */
  success: boolean
  read: number
  /** Are all of the row's pixels (and scores) finite? */
  finite: boolean
  /** Size of the perturbation in each norm; L0 counts changed elements. */
  norms: Record<Norm, number>
  /** Smallest and largest element of the row. */
  lowest: number
  highest: number
  /** How far the row leaves the bounds, 0 when it does not. */
  outside: number
}

export interface EvasionMeasure {
  rows: EvasionRow[]
  successes: number
  /** Share of rows that succeeded, 0 to 1; 0 for no rows. */
  successRate: number
  /** Share of rows that did not: for a misclassification criterion the accuracy that is left. */
  robustAccuracy: number
  /** Largest size of any row, in each norm. */
  largest: Record<Norm, number>
  /** Median size over all rows, failures counted as infinite (Carlini & Wagner 2017, §VI); for minimum-norm attacks. */
  medianNorm: Record<Norm, number>
  /** Rows that leave the bounds by more than `rangeTolerance`. */
  outsideRows: number
  notFiniteRows: number
}

/** float32 rounding of x + delta: far below one grey level (1/255). */
export const rangeTolerance = 1e-6

/**
 * Measures adversarial examples from plain arrays, in double precision. Says nothing about a budget: a
 * row larger than epsilon or outside the bounds can be a success here, and the caller judges its size.
 * Throws PerturbError `bad-input` when the arrays do not fit together.
 */
export function measureEvasion(input: EvasionInput): EvasionMeasure {
  const { originals, adversarial, readAfter, logitsAfter, criterion, bounds } = input
  const count = readAfter.length
  const expected = criterion.kind === 'targeted' ? criterion.targets.length : criterion.labels.length
  if (expected !== count)
    throw new PerturbError(
      'bad-input',
      `measureEvasion: ${count} rows were read, the criterion has ${expected}`,
    )
  if (originals.length !== adversarial.length || (count > 0 && originals.length % count !== 0)) {
    throw new PerturbError(
      'bad-input',
      `measureEvasion: expected two arrays of ${count} rows of one size; got ${originals.length} and ${adversarial.length} elements`,
    )
  }
  const size = count > 0 ? originals.length / count : 0
  const classes = logitsAfter && count > 0 ? logitsAfter.length / count : 0
  const rows = Array.from({ length: count }, (_, i): EvasionRow => {
    const row = measureRow(originals, adversarial, i * size, size, bounds)
    for (let k = 0; k < classes; k++) row.finite &&= Number.isFinite(logitsAfter![i * classes + k])
    const read = readAfter[i]!
    return { ...row, read, success: row.finite && isAdversarial(criterion, i, read) }
  })
  const successes = rows.filter(({ success }) => success).length
  return {
    rows,
    successes,
    successRate: count > 0 ? successes / count : 0,
    robustAccuracy: count > 0 ? 1 - successes / count : 0,
    largest: perNorm((norm) => rows.reduce((largest, row) => Math.max(largest, row.norms[norm]), 0)),
    medianNorm: perNorm((norm) => median(rows.map((row) => (row.success ? row.norms[norm] : Infinity)))),
    outsideRows: rows.filter(({ outside }) => !(outside <= rangeTolerance)).length,
    notFiniteRows: rows.filter(({ finite }) => !finite).length,
  }
}

function measureRow(
  originals: Float32Array,
  adversarial: Float32Array,
  from: number,
  size: number,
  [low, high]: readonly [number, number],
): Omit<EvasionRow, 'success' | 'read'> {
  let finite = true
  let [linf, squares, l1, l0] = [0, 0, 0, 0]
  let [lowest, highest] = [Infinity, -Infinity]
  for (let i = from; i < from + size; i++) {
    const value = adversarial[i]!
    const change = Math.abs(value - originals[i]!)
    finite &&= Number.isFinite(change)
    linf = Math.max(linf, change)
    squares += change * change
    l1 += change
    if (change !== 0) l0++
    lowest = Math.min(lowest, value)
    highest = Math.max(highest, value)
  }
  const outside = size > 0 ? Math.max(0, low - lowest, highest - high) : 0
  return { finite, norms: { linf, l2: Math.sqrt(squares), l1, l0 }, lowest, highest, outside }
}

const perNorm = (of: (norm: Norm) => number): Record<Norm, number> => ({
  linf: of('linf'),
  l2: of('l2'),
  l1: of('l1'),
  l0: of('l0'),
})

/** The middle value, or the mean of the two middle ones; infinite when either is; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const middle = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[middle]!
  return sorted.length === 0 ? Number.NaN : (sorted[middle - 1]! + sorted[middle]!) / 2
}
