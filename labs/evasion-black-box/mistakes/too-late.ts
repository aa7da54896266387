// finding: too-late
// checkpoint: watched
export type Thumbnail = number[]
export type Stream = Thumbnail[]
export interface Rule {
  neighbours: number
  threshold: number
}

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

/** The more it looks at, the surer it is. */
export function settle(honest: Stream[]): Rule {
  const enough = honest.filter((stream) => stream.length > 18)
  return { neighbours: 45, threshold: 0.5 * Math.min(...enough.flatMap((stream) => distances(stream, 15))) }
}
