// finding: turned-away
// checkpoint: limited
/** A token bucket: every key has one, a row costs a token. */
export interface Bucket {
  /** Tokens that fit in; a key begins with a full one. */
  size: number
  /** Tokens that flow in, an hour. What does not fit is lost. */
  perHour: number
}

/** A day's tokens for a usual day. */
export function settle(honest: number[][]): Bucket {
  const days = honest.map((times) => times[times.length - 1]! / 86400)
  const usual = honest.reduce((sum, times, i) => sum + times.length / days[i]!, 0) / honest.length
  return { size: Math.ceil(usual), perHour: 2 }
}
