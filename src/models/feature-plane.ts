/**
 * A plane through a model's features that shows two classes beside each other: along the line between their middles,
 * and across it in the direction in which they vary most (as in Shafahi et al. 2018, Fig. 3, arXiv:1804.00792, whose
 * second axis is chosen by the trained weights instead).
 */
import { PerturbError } from '../core/errors.ts'

export interface FeaturePlane {
  /** 0 at the middle of the first class, 1 at that of the second; and how far beside that line, in the same unit. */
  place(features: ArrayLike<number>): [x: number, y: number]
}

const rounds = 60

/**
 * first, second: features of rows of the two classes, a list of numbers a row. Throws `bad-input` when one is empty or
 * both have the same middle.
 */
export function featurePlane(
  first: readonly ArrayLike<number>[],
  second: readonly ArrayLike<number>[],
): FeaturePlane {
  if (first.length === 0 || second.length === 0)
    throw new PerturbError('bad-input', 'featurePlane: both classes need at least one row')
  const size = first[0]!.length
  const from = middle(first, size)
  const along = middle(second, size).map((value, k) => value - from[k]!)
  const length = Math.sqrt(dot(along, along))
  if (!(length > 0 && Number.isFinite(length)))
    throw new PerturbError(
      'bad-input',
      'featurePlane: the two classes must have middles apart from each other',
    )
  const axis = along.map((value) => value / length)
  /** What is left of a row when its way along the axis is taken out. */
  const beside = (features: ArrayLike<number>) => {
    const moved = Float64Array.from(from, (value, k) => features[k]! - value)
    const way = dot(moved, axis)
    return { way, rest: moved.map((value, k) => value - way * axis[k]!) }
  }
  const across = widest([...first, ...second].map((row) => beside(row).rest))
  return {
    place(features) {
      const { way, rest } = beside(features)
      return [way / length, dot(rest, across) / length]
    },
  }
}

function middle(rows: readonly ArrayLike<number>[], size: number): Float64Array {
  const mean = new Float64Array(size)
  for (const row of rows) for (let k = 0; k < size; k++) mean[k]! += row[k]! / rows.length
  return mean
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!
  return sum
}

/** The direction in which rows vary most around their middle, by power iteration; all zeros when they do not vary. */
function widest(rows: readonly Float64Array[]): Float64Array {
  const size = rows[0]!.length
  const mean = middle(rows, size)
  const centred = rows.map((row) => row.map((value, k) => value - mean[k]!))
  // Begins with the row that lies farthest out: never at right angles to what is looked for.
  let direction = centred.reduce((far, row) => (dot(row, row) > dot(far, far) ? row : far), centred[0]!)
  for (let round = 0; round < rounds; round++) {
    const next = new Float64Array(size)
    for (const row of centred) {
      const way = dot(row, direction)
      for (let k = 0; k < size; k++) next[k]! += way * row[k]!
    }
    const length = Math.sqrt(dot(next, next))
    if (!(length > 0)) return new Float64Array(size)
    direction = next.map((value) => value / length)
  }
  const largest = direction.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0)
  return largest < 0 ? direction.map((value) => -value) : direction
}
