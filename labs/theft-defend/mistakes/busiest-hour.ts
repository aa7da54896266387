// finding: open-door
// checkpoint: limited
/** A token bucket: every key has one, a row costs a token. */
export interface Bucket {
  /** Tokens that fit in; a key begins with a full one. */
  size: number
  /** Tokens that flow in, an hour. What does not fit is lost. */
  perHour: number
}

/** Nobody ever asks about more than in the busiest hour. */
export function settle(honest: number[][]): Bucket {
  let busiest = 0
  for (const times of honest)
    for (let from = 0, to = 0; from < times.length; from++) {
      while (to < times.length && times[to]! < times[from]! + 3600) to++
      busiest = Math.max(busiest, to - from)
    }
  return { size: 2 * busiest, perHour: 2 * busiest }
}
