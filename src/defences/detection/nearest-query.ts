/**
 * How far apart an account's queries lie: honest users ask about what they have, and such inputs keep a typical distance from
 * each other. Noise lies farther apart, probes of one input nearer, inputs of another kind elsewhere. Compares the median
 * distance to the nearest earlier query with a band measured on honest traffic. A second signal beside PRADA (Juuti et
 * al. 2019, arXiv:1805.02628), which looks at the shape of these distances and not at their size.
 *
 * Evaded by whoever asks about inputs like the honest ones, or mixes enough of them in.
 */
import { PerturbError } from '../../core/errors.ts'
import { median } from '../../metrics/evasion.ts'

export interface DistanceBand {
  /** The account is closed when the median leaves the band. In the units of the inputs (L2). */
  low: number
  high: number
  /** Distances that must be there before the median says anything. */
  atLeast: number
}

/** One account: the distance of each query to the nearest earlier one, and their median. */
export class NearestQuery {
  readonly #band: DistanceBand
  readonly #seen: Float32Array[] = []
  readonly #distances: number[] = []

  /** Throws RangeError unless 0 ≤ low ≤ high and atLeast is a whole number of at least 1. */
  constructor(band: DistanceBand) {
    if (!(band.low >= 0 && band.high >= band.low))
      throw new RangeError(`nearest-query: expected 0 ≤ low ≤ high; got ${band.low} and ${band.high}`)
    if (!(Number.isInteger(band.atLeast) && band.atLeast >= 1))
      throw new RangeError(`nearest-query: atLeast must be a whole number of at least 1; got ${band.atLeast}`)
    this.#band = band
  }

  /**
   * Notes a query, which is kept and must not be changed. `median` is undefined while there are too few distances. A query with a
   * number that is not finite alarms at once and is not kept: no honest input has one.
   */
  see(query: Float32Array): { median: number | undefined; alarm: boolean } {
    if (!query.every(Number.isFinite)) return { median: undefined, alarm: true }
    if (this.#seen.length > 0) this.#distances.push(nearestDistance(query, this.#seen))
    this.#seen.push(query)
    const enough = this.#distances.length >= this.#band.atLeast
    const middle = enough ? median(this.#distances) : undefined
    return {
      median: middle,
      alarm: middle !== undefined && !(middle >= this.#band.low && middle <= this.#band.high),
    }
  }
}

/** L2 distance to the nearest of these, Infinity when there is none. */
export function nearestDistance(query: Float32Array, earlier: readonly Float32Array[]): number {
  let least = Infinity
  for (const one of earlier) {
    let squares = 0
    // Most are farther than the nearest long before their end.
    for (let i = 0; i < one.length && squares < least; i++) squares += (query[i]! - one[i]!) ** 2
    least = Math.min(least, squares)
  }
  return Math.sqrt(least)
}

/**
 * The band that holds the medians of all these honest streams, widened on both sides by `margin` (a share of its middle). Throws
 * `bad-input` when no stream has a median.
 */
export function bandOf(
  streams: readonly (readonly Float32Array[])[],
  { atLeast, margin }: { atLeast: number; margin: number },
): DistanceBand {
  const medians = streams.flatMap((stream) => {
    const watch = new NearestQuery({ low: 0, high: Infinity, atLeast })
    return stream.flatMap((query) => watch.see(query).median ?? [])
  })
  if (medians.length === 0)
    throw new PerturbError(
      'bad-input',
      `nearest-query: no honest stream has ${atLeast} distances; give longer ones, or ask for fewer`,
    )
  const [low, high] = medians.reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Infinity, 0] as [number, number],
  )
  const room = (margin * (low + high)) / 2
  return { low: Math.max(0, low - room), high: high + room, atLeast }
}
