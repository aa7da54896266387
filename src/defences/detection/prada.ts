/**
 * PRADA: an account's distances between queries of one answer are spread like a normal distribution in honest
 * use, and bunch up when queries are made from each other.
 * Juuti, Szyller, Marchal, Asokan 2019, "PRADA: protecting against DNN model stealing attacks", §5, arXiv:1805.02628;
 * the test of normality is Shapiro & Wilk's, with Royston's approximate coefficients (1992), as PRADA uses it.
 *
 * Differs from the paper: outliers beyond three deviations are dropped from the distances, and nothing grows with the stream
 * but the distances themselves.
 */
import { normalQuantile } from '../../core/statistics.ts'

export interface PradaRule {
  /** The account is closed when W falls below this: 0.90 to 0.95 in the paper. */
  delta: number
  /** Distances that must be there before W says anything. */
  atLeast: number
}

/** One account: the least distance of each query to the earlier ones with the same answer, and their W. */
export class Prada {
  readonly #rule: PradaRule
  readonly #byAnswer = new Map<number, Float32Array[]>()
  readonly #distances: number[] = []

  constructor(rule: PradaRule) {
    if (!(rule.delta > 0 && rule.delta < 1))
      throw new RangeError(`prada: delta must lie between 0 and 1; got ${rule.delta}`)
    if (!(Number.isInteger(rule.atLeast) && rule.atLeast >= 3))
      throw new RangeError(`prada: atLeast must be a whole number of at least 3; got ${rule.atLeast}`)
    this.#rule = rule
  }

  /** Notes a query and what was answered. `w` is undefined while there are too few distances. */
  see(query: Float32Array, answer: number): { w: number | undefined; alarm: boolean } {
    const earlier = this.#byAnswer.get(answer) ?? []
    if (earlier.length > 0)
      this.#distances.push(
        earlier.reduce((least, one) => {
          let squares = 0
          for (let i = 0; i < one.length; i++) squares += (query[i]! - one[i]!) ** 2
          return Math.min(least, Math.sqrt(squares))
        }, Infinity),
      )
    this.#byAnswer.set(answer, [...earlier, query])
    const w =
      this.#distances.length < this.#rule.atLeast ? undefined : shapiroWilk(withoutOutliers(this.#distances))
    return { w, alarm: w !== undefined && w < this.#rule.delta }
  }
}

/** Values within three deviations of the mean. */
function withoutOutliers(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
  return values.filter((value) => Math.abs(value - mean) <= 3 * deviation)
}

/**
 * Shapiro–Wilk's W: 1 for a sample spread like a normal distribution, less the less it is. Royston 1992, "Approximating
 * the Shapiro–Wilk W-test for non-normality", from 3 values on; equal values give 1 (nothing to tell).
 * Throws RangeError for fewer than three.
 */
export function shapiroWilk(values: readonly number[]): number {
  const n = values.length
  if (n < 3) throw new RangeError(`shapiroWilk: needs at least 3 values; got ${n}`)
  const sorted = Float64Array.from(values).sort()
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n
  const spread = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  if (spread === 0) return 1
  const weights = roystonWeights(n)
  const lean = sorted.reduce((sum, value, i) => sum + weights[i]! * value, 0)
  return Math.min(1, (lean * lean) / spread)
}

/** Weights of the ordered values; they sum to 0 and their squares to 1. */
function roystonWeights(n: number): Float64Array {
  const m = Float64Array.from({ length: n }, (_, i) => normalQuantile((i + 1 - 0.375) / (n + 0.25)))
  const squares = m.reduce((sum, value) => sum + value * value, 0)
  if (n === 3) return Float64Array.of(-Math.SQRT1_2, 0, Math.SQRT1_2)
  const u = 1 / Math.sqrt(n)
  const polynomial = (...coefficients: number[]) =>
    coefficients.reduce((sum, coefficient, power) => sum + coefficient * u ** power, 0)
  const last =
    m[n - 1]! / Math.sqrt(squares) + polynomial(0, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056)
  const weights = new Float64Array(n)
  const long = n > 5
  const second = long
    ? m[n - 2]! / Math.sqrt(squares) + polynomial(0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633)
    : 0
  const rest = long
    ? (squares - 2 * m[n - 1]! ** 2 - 2 * m[n - 2]! ** 2) / (1 - 2 * last ** 2 - 2 * second ** 2)
    : (squares - 2 * m[n - 1]! ** 2) / (1 - 2 * last ** 2)
  for (let i = 0; i < n; i++) weights[i] = m[i]! / Math.sqrt(rest)
  weights[n - 1] = last
  weights[0] = -last
  if (long) {
    weights[n - 2] = second
    weights[1] = -second
  }
  return weights
}
