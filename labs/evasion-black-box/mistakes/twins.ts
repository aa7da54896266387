// finding: twins
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

/** An attack's second question is near its first, so one neighbour will do. */
export function settle(_: Stream[], attack: Stream[]): Rule {
  return {
    neighbours: 1,
    threshold: Math.max(...attack.map((stream) => distances(stream, 1).sort((a, b) => a - b)[20]!)),
  }
}
