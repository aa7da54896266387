/**
 * What attacks on decisions have in common: a start on the far side of the victim's border, the way back to
 * the border, and the nearest misreading that was ever seen. All are parts of a row's search (row-search.ts).
 */
import type { ClassifierInfo } from './classifier.ts'
import { isAdversarial, type Criterion } from './criteria.ts'
import { PerturbError } from './errors.ts'
import { distanceOf, type RowSearch, type SearchRow } from './row-search.ts'
import type * as tf from './tf.ts'

export interface WalkSetting {
  criterion: Criterion
  norm: 'l2' | 'linf'
  bounds: readonly [number, number]
  /** A start for each row, or nothing: then noise is tried. */
  starts: readonly Float32Array[] | undefined
}

/** Noise pictures that are tried as starts, as in foolbox. */
const noiseTries = 1000

/** Asks about points, keeps the nearest success in the row, and tells for each whether it was one. */
export function* askWhether(
  row: SearchRow,
  points: readonly Float32Array[],
  { criterion, norm }: WalkSetting,
): Generator<readonly Float32Array[], boolean[], readonly number[]> {
  const read = yield points
  return points.map((point, i) => {
    const success = isAdversarial(criterion, row.index, read[i]!)
    if (!success) return false
    const distance = distanceOf(point, row.x, norm)
    if (!row.found || distance < row.figure!) {
      row.best = point
      row.figure = distance
      row.found = true
    }
    return true
  })
}

/**
 * A misread point to begin with: the row itself when it is misread already (its distance is 0), the caller's
 * start, or noise. Undefined when there is none: a start that is not misread, or no noise within 1,000 tries.
 */
export function* findStart(
  row: SearchRow,
  setting: WalkSetting,
): Generator<readonly Float32Array[], Float32Array | undefined, readonly number[]> {
  const [itself] = yield* askWhether(row, [row.x], setting)
  if (itself) return row.x
  const start = setting.starts?.[row.index]
  if (start) return (yield* askWhether(row, [start], setting))[0] ? start : undefined
  const [low, high] = setting.bounds
  for (let i = 0; i < noiseTries; i++) {
    const noise = row.x.map(() => low + (high - low) * row.rng.uniform())
    if ((yield* askWhether(row, [noise], setting))[0]) return noise
  }
  return undefined
}

/**
 * Halves the way from `far` (misread) to the row until the border is known to `tolerance`: a share of the way
 * in L2, in the units of x in L∞. Returns the near end that is still misread.
 */
export function* toBorder(
  row: SearchRow,
  far: Float32Array,
  setting: WalkSetting,
  tolerance: number,
): Generator<readonly Float32Array[], Float32Array, readonly number[]> {
  const whole = setting.norm === 'l2' ? 1 : distanceOf(far, row.x, 'linf')
  let [low, high] = [0, whole]
  let kept = far
  while (high - low > Math.min(tolerance, high)) {
    const middle = (low + high) / 2
    if (middle <= low || middle >= high) break
    const point = between(row.x, far, middle, setting.norm)
    if ((yield* askWhether(row, [point], setting))[0]) {
      kept = point
      high = middle
    } else low = middle
  }
  return kept
}

/** Part of the way from x to `far`: L2 goes straight, L∞ pulls each element to within `reach` of x. */
function between(x: Float32Array, far: Float32Array, reach: number, norm: 'l2' | 'linf'): Float32Array {
  return norm === 'l2'
    ? x.map((value, i) => value + reach * (far[i]! - value))
    : x.map((value, i) => value + Math.min(Math.max(far[i]! - value, -reach), reach))
}

/** The rows of `starts`. Throws `bad-input` when it does not have the shape of x. */
export async function readStarts(
  attack: string,
  starts: tf.Tensor | undefined,
  x: tf.Tensor,
  { bounds: [low, high] }: ClassifierInfo,
): Promise<Float32Array[] | undefined> {
  if (starts === undefined) return undefined
  if (!Array.isArray(starts.shape) || starts.shape.join() !== x.shape.join())
    throw new PerturbError(
      'bad-input',
      `${attack}: starts must hold one picture for each row of x, shape (${x.shape.join(', ')}); got ${Array.isArray(starts.shape) ? `(${starts.shape.join(', ')})` : typeof starts}`,
    )
  const values = Float32Array.from(await starts.data())
  const outside = values.findIndex((value) => !(value >= low && value <= high))
  if (outside >= 0)
    throw new PerturbError(
      'bad-input',
      `${attack}: starts must lie within [${low}, ${high}]; got ${values[outside]}`,
    )
  const width = values.length / Math.max(1, x.shape[0]!)
  return Array.from({ length: x.shape[0]! }, (_, i) => values.slice(i * width, (i + 1) * width))
}

/** The search of one row as `RowSearch` wants it. */
export type DecisionSearch = RowSearch<number>
