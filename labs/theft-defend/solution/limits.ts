/** A token bucket: every key has one, a row costs a token. */
export interface Bucket {
  /** Tokens that fit in; a key begins with a full one. */
  size: number
  /** Tokens that flow in, an hour. What does not fit is lost. */
  perHour: number
}

/** A tap half as fast again as anybody asks in the long run, and a bucket twice as deep as any was drained. */
export function settle(honest: number[][]): Bucket {
  const perHour = 1.5 * Math.max(...honest.map((times) => times.length / (times[times.length - 1]! / 3600)))
  return { size: Math.ceil(2 * Math.max(...honest.map((times) => needed(times, perHour)))), perHour }
}

/** How deep the bucket of one account is drained. */
function needed(times: number[], perHour: number): number {
  let [missing, deepest, before] = [0, 0, 0]
  for (const time of times) {
    missing = Math.max(0, missing - ((time - before) * perHour) / 3600) + 1
    deepest = Math.max(deepest, missing)
    before = time
  }
  return deepest
}
