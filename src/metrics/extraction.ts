/**
 * How good a stolen copy is, and how well a watch sees thieves. Tramèr et al. 2016, §4 (agreement on test and on uniform
 * inputs, arXiv:1609.02943); Jagielski et al. 2020 (accuracy and fidelity are two goals, arXiv:1909.01838). Plain arrays,
 * double precision; what is not a number never counts for the thief.
 */
import { PerturbError } from '../core/errors.ts'
import { createRng } from '../core/rng.ts'

const fail = (what: string) => new PerturbError('bad-input', what)

/** Share of rows that both read alike, 0 to 1; 0 for no rows. On natural rows it proves little: an honest model agrees too. */
export function agreement(victim: ArrayLike<number>, copy: ArrayLike<number>): number {
  if (victim.length !== copy.length)
    throw fail(`agreement: both must have read the same rows; got ${victim.length} and ${copy.length}`)
  return shareOf(victim.length, (i) => victim[i] === copy[i])
}

export interface Fidelity {
  /** Share of rows that victim and copy read alike. */
  agreement: number
  /** The same among rows that the victim misreads: a copy makes its mistakes, an honest model others. NaN without such rows. */
  agreementOnMistakes: number
  victimAccuracy: number
  copyAccuracy: number
}

/** Reads of the same rows, and what they truly are. Throws `bad-input` when the lengths differ. */
export function measureFidelity(
  victim: ArrayLike<number>,
  copy: ArrayLike<number>,
  labels: ArrayLike<number>,
): Fidelity {
  if (labels.length !== victim.length)
    throw fail(`measureFidelity: expected a label for each of ${victim.length} rows; got ${labels.length}`)
  const mistakes = Array.from(victim).flatMap((read, i) => (read === labels[i] ? [] : [i]))
  return {
    agreement: agreement(victim, copy),
    agreementOnMistakes:
      mistakes.length === 0
        ? NaN
        : shareOf(mistakes.length, (i) => victim[mistakes[i]!] === copy[mistakes[i]!]),
    victimAccuracy: agreement(labels, victim),
    copyAccuracy: agreement(labels, copy),
  }
}

/**
 * Mean total variation distance between two models' probabilities, row-major with `numClasses` a row: 0 alike, 1 as far apart
 * as can be (Tramèr et al. 2016, §4). A row that holds a number that is not finite is as far apart as can be.
 */
export function probabilityDistance(
  victim: ArrayLike<number>,
  copy: ArrayLike<number>,
  numClasses: number,
): number {
  const rows = victim.length / numClasses
  if (victim.length !== copy.length || !Number.isInteger(rows) || rows === 0)
    throw fail(
      `probabilityDistance: expected the same rows of ${numClasses} probabilities, at least one; got ${victim.length} and ${copy.length} numbers`,
    )
  let sum = 0
  for (let row = 0; row < rows; row++) {
    let apart = 0
    for (let i = row * numClasses; i < (row + 1) * numClasses; i++)
      apart += Math.abs(victim[i]! - copy[i]!) / 2
    sum += Number.isFinite(apart) ? Math.min(1, apart) : 1
  }
  return sum / rows
}

/** `count` inputs spread evenly over finite bounds, row-major: where a copy must agree that has learned the victim and not the data. */
export function uniformInputs(
  count: number,
  { inputShape, bounds }: { inputShape: readonly number[]; bounds: readonly [number, number] },
  seed: number,
): Float32Array {
  const [low, high] = bounds
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high))
    throw fail(`uniformInputs: bounds must be finite, the lower one first; got [${low}, ${high}]`)
  const rng = createRng(seed, 'uniform inputs')
  const size = inputShape.reduce((product, n) => product * n, 1)
  return Float32Array.from({ length: count * size }, () => low + (high - low) * rng.uniform())
}

export interface WeightError {
  /** Largest difference of any weight; Infinity when one is not finite. */
  largest: number
  /** Root of the mean squared difference. */
  rms: number
  /** 1 − cosine of the angle between the two: 0 when they are the same up to a scale, which decisions do not show. */
  misaligned: number
}

/** Of two models of one architecture, all weights in one list each. Throws `bad-input` when they are not as many. */
export function weightError(victim: ArrayLike<number>, copy: ArrayLike<number>): WeightError {
  if (victim.length !== copy.length || victim.length === 0)
    throw fail(`weightError: expected as many weights in both; got ${victim.length} and ${copy.length}`)
  let [largest, squares, dot, victimSquares, copySquares] = [0, 0, 0, 0, 0]
  for (let i = 0; i < victim.length; i++) {
    const [a, b] = [victim[i]!, copy[i]!]
    if (!Number.isFinite(a - b)) return { largest: Infinity, rms: Infinity, misaligned: 1 }
    largest = Math.max(largest, Math.abs(a - b))
    squares += (a - b) ** 2
    dot += a * b
    victimSquares += a * a
    copySquares += b * b
  }
  const lengths = Math.sqrt(victimSquares) * Math.sqrt(copySquares)
  return {
    largest,
    rms: Math.sqrt(squares / victim.length),
    misaligned: lengths === 0 ? 1 : Math.max(0, 1 - dot / lengths),
  }
}

/**
 * Share of adversarial examples made on the copy that fool the victim too, among rows that the victim read rightly before;
 * NaN when there are none. `targets`: then only being read as the target counts.
 */
export function transferRate(
  before: ArrayLike<number>,
  after: ArrayLike<number>,
  labels: ArrayLike<number>,
  targets?: ArrayLike<number>,
): number {
  for (const [name, list] of Object.entries({ before, after, ...(targets && { targets }) }))
    if (list.length !== labels.length)
      throw fail(
        `transferRate: ${name} must hold one class for each of ${labels.length} rows; got ${list.length}`,
      )
  const rows = Array.from(labels).flatMap((label, i) => (before[i] === label ? [i] : []))
  if (rows.length === 0) return NaN
  return shareOf(rows.length, (i) => {
    const row = rows[i]!
    return targets ? after[row] === targets[row] : after[row] !== labels[row]
  })
}

export interface CurvePoint {
  queries: number
  agreement: number
}

/**
 * What agreement so many queries buy: the points in order of queries, each at least as good as the one before, since a thief
 * keeps the best copy. Of several points with as many queries the best is kept; points that are not numbers are dropped.
 */
export function queryEfficiencyCurve(points: readonly CurvePoint[]): CurvePoint[] {
  const sorted = points
    .filter(({ queries, agreement: share }) => Number.isFinite(queries) && Number.isFinite(share))
    .sort((a, b) => a.queries - b.queries || b.agreement - a.agreement)
  const curve: CurvePoint[] = []
  for (const { queries, agreement: share } of sorted) {
    const last = curve.at(-1)
    if (last?.queries === queries) continue
    curve.push({ queries, agreement: Math.max(share, last?.agreement ?? 0) })
  }
  return curve
}

/** The fewest queries with which a measured point of the curve reaches this agreement; undefined when none does. */
export const queriesToReach = (points: readonly CurvePoint[], wanted: number): number | undefined =>
  queryEfficiencyCurve(points).find(({ agreement: share }) => share >= wanted)?.queries

export interface RocPoint {
  /** Alarm for scores of at least this. */
  threshold: number
  /** Share of benign streams that alarm. */
  falseAlarms: number
  /** Share of attacks that do. */
  detected: number
}

export interface DetectionRoc {
  /** From no alarm at all (the first point) to an alarm for everyone. */
  points: RocPoint[]
  /** Chance that an attack scores above a benign stream, ties counted half: 0.5 is guessing. */
  auc: number
}

/**
 * A detector's scores, higher more suspicious, for benign streams and for attacks. A score that is not a number is of no
 * suspicion at all. Throws `bad-input` without streams of both kinds.
 */
export function detectionRoc(benign: ArrayLike<number>, attacks: ArrayLike<number>): DetectionRoc {
  if (benign.length === 0 || attacks.length === 0)
    throw fail(`detectionRoc: needs benign streams and attacks; got ${benign.length} and ${attacks.length}`)
  const clean = (scores: ArrayLike<number>) =>
    Float64Array.from(scores, (score) => (Number.isNaN(score) ? -Infinity : score))
  const [quiet, loud] = [clean(benign), clean(attacks)]
  const thresholds = Float64Array.from(new Set([...quiet, ...loud]))
    .sort()
    .reverse()
  const above = (scores: Float64Array, threshold: number) =>
    shareOf(scores.length, (i) => scores[i]! >= threshold)
  const points = [
    { threshold: Infinity, falseAlarms: 0, detected: 0 },
    ...Array.from(thresholds, (threshold) => ({
      threshold,
      falseAlarms: above(quiet, threshold),
      detected: above(loud, threshold),
    })),
  ]
  let area = 0
  for (let i = 1; i < points.length; i++) {
    const [from, to] = [points[i - 1]!, points[i]!]
    area += ((to.falseAlarms - from.falseAlarms) * (to.detected + from.detected)) / 2
  }
  return { points, auc: area }
}

/** The best point of a curve with at most this share of false alarms. */
export function detectedAt({ points }: DetectionRoc, falseAlarms: number): RocPoint {
  if (!(falseAlarms >= 0 && falseAlarms <= 1))
    throw fail(`detectedAt: falseAlarms must be a share from 0 to 1; got ${falseAlarms}`)
  return points.reduce((best, point) =>
    point.falseAlarms <= falseAlarms && point.detected > best.detected ? point : best,
  )
}

function shareOf(count: number, holds: (i: number) => boolean): number {
  let hits = 0
  for (let i = 0; i < count; i++) if (holds(i)) hits++
  return count === 0 ? 0 : hits / count
}
