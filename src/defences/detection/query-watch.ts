/**
 * Detection by query pattern: an attack on a black box asks about pictures that are almost alike, again and again,
 * and honest traffic does not. Each account's queries are kept, small; when a new one lies, on average, nearer than
 * a threshold to the account's nearest earlier ones, the account is closed.
 * Chen, Carlini, Wagner 2019, "Stateful detection of black-box adversarial attacks", §3, arXiv:1907.05587.
 *
 * Differs from the paper: pictures are compared as thumbnails, where the paper learns what to compare; the memory
 * of an account is not bounded. Known to be evaded by whoever spreads queries over accounts or makes
 * them unlike each other on purpose.
 */
export interface WatchRule {
  /** How many of the nearest earlier queries are looked at; an account with fewer is never closed. */
  neighbours: number
  /** The mean distance to them below which the account is closed, between thumbnails. */
  threshold: number
}

/** Cells along a side of a thumbnail. */
export const thumbnailSide = 10

/** The mean of each cell of a grid, 10 cells a side at most, each channel for itself. shape: [height, width, channels]. */
export function thumbnail(pixels: ArrayLike<number>, shape: readonly number[]): Float32Array {
  const [height = 1, width = 1, channels = 1] = shape
  const [tall, wide] = [Math.min(thumbnailSide, height), Math.min(thumbnailSide, width)]
  const sums = new Float32Array(tall * wide * channels)
  const counts = new Float32Array(tall * wide)
  for (let i = 0; i < height; i++)
    for (let j = 0; j < width; j++) {
      const cell = Math.floor((i * tall) / height) * wide + Math.floor((j * wide) / width)
      counts[cell]! += 1
      for (let c = 0; c < channels; c++) sums[cell * channels + c]! += pixels[(i * width + j) * channels + c]!
    }
  return sums.map((sum, k) => sum / counts[Math.floor(k / channels)]!)
}

/** The memory of one account. */
export class QueryWatch {
  readonly #rule: WatchRule
  readonly #seen: Float32Array[] = []

  /** Throws RangeError unless neighbours is a whole number above 0 and the threshold is at least 0. */
  constructor(rule: WatchRule) {
    if (!(Number.isInteger(rule.neighbours) && rule.neighbours >= 1))
      throw new RangeError(`watch: neighbours must be a whole number of at least 1; got ${rule.neighbours}`)
    if (!(rule.threshold >= 0))
      throw new RangeError(`watch: threshold must be at least 0; got ${rule.threshold}`)
    this.#rule = rule
  }

  /**
   * Notes a query (its thumbnail). `distance` is the mean to the nearest earlier ones, undefined while there are
   * too few; `alarm` says that it is below the threshold.
   */
  see(query: Float32Array): { distance: number | undefined; alarm: boolean } {
    const distance = nearestMean(query, this.#seen, this.#rule.neighbours)
    this.#seen.push(query)
    return { distance, alarm: distance !== undefined && distance < this.#rule.threshold }
  }
}

/** Mean distance to the `count` nearest; undefined when there are fewer. */
export function nearestMean(
  query: Float32Array,
  earlier: readonly Float32Array[],
  count: number,
): number | undefined {
  if (earlier.length < count) return undefined
  const distances = Float64Array.from(earlier, (one) => {
    let squares = 0
    for (let i = 0; i < one.length; i++) squares += (query[i]! - one[i]!) ** 2
    return Math.sqrt(squares)
  }).sort()
  return distances.subarray(0, count).reduce((sum, one) => sum + one, 0) / count
}

/** Number of the query, from 1, at which an account's stream is closed; undefined when it never is. */
export function alarmAt(stream: readonly Float32Array[], rule: WatchRule): number | undefined {
  const watch = new QueryWatch(rule)
  const at = stream.findIndex((query) => watch.see(query).alarm)
  return at < 0 ? undefined : at + 1
}
