/**
 * Rate limits and keys: every key has a bucket that fills at a steady rate up to its size, and a row costs a token. What PRADA and
 * its like cannot see, a thief who asks as honest users do, costs time this way, or keys, which cost names and money. The bucket as
 * a traffic meter: Turner 1986, "New directions in communications"; RFC 2697 gives the arithmetic.
 *
 * No clock in here: the caller says when a request comes, so that a simulated day takes no time and always goes the same.
 */
export interface BucketRule {
  /** Rows that may come at once after a pause. */
  size: number
  /** Rows a second in the long run. */
  perSecond: number
  /** Rows in all, over the whole life of a key; no limit when absent. */
  perKey?: number
}

export type Admission =
  | { admitted: true }
  /** `waitSeconds`: when the same request would be admitted; Infinity when it never will be. */
  | { admitted: false; why: 'too-fast' | 'too-large' | 'quota' | 'unknown-key'; waitSeconds: number }

interface Bucket {
  tokens: number
  filledAt: number
  used: number
}

/** The buckets of all keys. A refused request costs nothing and answers nothing, whole or not at all. */
export class TokenBuckets {
  readonly #rule: BucketRule
  readonly #buckets: Map<string, Bucket>

  /** Throws RangeError unless size is at least 1, perSecond above 0, and perKey, if any, a whole number of at least 0. */
  constructor(rule: BucketRule, keys: Iterable<string>) {
    const { size, perSecond, perKey } = rule
    if (!(size >= 1 && Number.isFinite(size)))
      throw new RangeError(`token-bucket: size must be at least 1; got ${size}`)
    if (!(perSecond > 0 && Number.isFinite(perSecond)))
      throw new RangeError(`token-bucket: perSecond must be positive; got ${perSecond}`)
    if (perKey !== undefined && !(Number.isSafeInteger(perKey) && perKey >= 0))
      throw new RangeError(`token-bucket: perKey must be a whole number of at least 0; got ${perKey}`)
    this.#rule = rule
    this.#buckets = new Map(Array.from(keys, (key) => [key, { tokens: size, filledAt: -Infinity, used: 0 }]))
  }

  /**
   * A request of `rows` rows under a key, `seconds` after some beginning. Times of one key never run backwards. Throws RangeError for
   * rows below 1, and for a time that is not finite or lies before the key's last one.
   */
  admit(key: string, rows: number, seconds: number): Admission {
    if (!(Number.isSafeInteger(rows) && rows >= 1))
      throw new RangeError(`token-bucket: rows must be a whole number of at least 1; got ${rows}`)
    const bucket = this.#buckets.get(key)
    if (!bucket) return { admitted: false, why: 'unknown-key', waitSeconds: Infinity }
    if (!Number.isFinite(seconds) || seconds < bucket.filledAt)
      throw new RangeError(
        `token-bucket: time must be finite and run forwards; got ${seconds} after ${bucket.filledAt}`,
      )
    const { size, perSecond, perKey = Infinity } = this.#rule
    const passed = bucket.filledAt === -Infinity ? 0 : seconds - bucket.filledAt
    bucket.tokens = Math.min(size, bucket.tokens + passed * perSecond)
    bucket.filledAt = seconds
    if (bucket.used + rows > perKey) return { admitted: false, why: 'quota', waitSeconds: Infinity }
    if (rows > size) return { admitted: false, why: 'too-large', waitSeconds: Infinity }
    if (rows > bucket.tokens)
      return { admitted: false, why: 'too-fast', waitSeconds: (rows - bucket.tokens) / perSecond }
    bucket.tokens -= rows
    bucket.used += rows
    return { admitted: true }
  }

  /** Rows answered under a key so far; 0 for a key that there is not. */
  used(key: string): number {
    return this.#buckets.get(key)?.used ?? 0
  }
}

/** Seconds that a thief needs for so many rows with so many keys, asking as fast as the rule lets; Infinity when it never does. */
export function secondsForRows(
  { size, perSecond, perKey = Infinity }: BucketRule,
  rows: number,
  keys: number,
): number {
  const each = Math.ceil(rows / keys)
  if (each > perKey) return Infinity
  return Math.max(0, each - size) / perSecond
}
