/** A token bucket: every key has one, a row costs a token. */
export interface Bucket {
  /** Tokens that fit in; a key begins with a full one. */
  size: number
  /** Tokens that flow in, an hour. What does not fit is lost. */
  perHour: number
}

/**
 * Sets the bucket, so that no honest customer ever waits and a thief waits for weeks.
 *
 * @param honest when each account asked, in seconds from its first question
 */
export function settle(honest: number[][]): Bucket {
  const days = honest.map((times) => times[times.length - 1]! / 86400)
  console.log(
    `${honest.length} accounts took ${Math.min(...days).toFixed(0)} to ${Math.max(...days).toFixed(0)} days for ${honest[0]!.length} rows`,
  )
  // Yours: a large bucket forgives a busy hour, a slow tap stops whoever never rests.
  throw new Error(
    'settle is not written yet. First try: how many rows does the busiest hour of any account hold, and the busiest day?',
  )
}
