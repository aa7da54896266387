// finding: neither
// checkpoint: limited
/** A token bucket: every key has one, a row costs a token. */
export interface Bucket {
  /** Tokens that fit in; a key begins with a full one. */
  size: number
  /** Tokens that flow in, an hour. What does not fit is lost. */
  perHour: number
}

/** A small bucket stops bursts. */
export function settle(_honest: number[][]): Bucket {
  return { size: 10, perHour: 60 }
}
