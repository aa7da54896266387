/** A picture as the watch keeps it: 10 × 10 cells of three mean colours. */
export type Thumbnail = number[]
/** What one account has asked about, in order. */
export type Stream = Thumbnail[]

/** The rule: an account is closed when a query lies nearer than `threshold`, on average, to its nearest earlier ones. */
export interface Rule {
  /** How many of the nearest are looked at. */
  neighbours: number
  threshold: number
}

/** Enough neighbours to look past three pictures of one visit, and a threshold with a little room below the nearest honest one. */
export function settle(honest: Stream[], attack: Stream[]): Rule {
  const neighbours = 8
  const nearest = Math.min(...honest.flatMap((stream) => distances(stream, neighbours)))
  for (const stream of attack)
    console.log(
      distances(stream, neighbours)
        .map((d) => d.toFixed(1))
        .join(' '),
    )
  return { neighbours, threshold: 0.7 * nearest }
}

/** For each query that has so many before it: the mean distance to the nearest. */
function distances(stream: Stream, neighbours: number): number[] {
  return stream.flatMap((query, k) => {
    const all = stream
      .slice(0, k)
      .map((earlier) => Math.sqrt(query.reduce((sum, value, i) => sum + (value - earlier[i]!) ** 2, 0)))
      .sort((a, b) => a - b)
      .slice(0, neighbours)
    return all.length < neighbours ? [] : [all.reduce((sum, one) => sum + one, 0) / neighbours]
  })
}
