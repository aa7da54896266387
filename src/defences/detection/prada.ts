/**
 * PRADA: an account's distances between queries of one answer are spread like a normal distribution in honest
 * use, and bunch up when queries are made from each other.
 * Juuti, Szyller, Marchal, Asokan 2019, "PRADA: protecting against DNN model stealing attacks", §5, arXiv:1805.02628;
 * the test of normality is Shapiro & Wilk's, with Royston's approximate coefficients (1992), as PRADA uses it.
 *
 * Differs from the paper: outliers beyond three deviations are dropped from the distances, and nothing grows with the stream
 * but the distances themselves.
 */
import { shapiroWilk } from '../../core/statistics.ts'

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
