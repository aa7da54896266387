// finding: honest-locked-out
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

/** Catch every question of every attack. */
export function settle(honest: Stream[], attack: Stream[]): Rule {
  const all = honest.flatMap((stream) => distances(stream, 8)).sort((a, b) => a - b)
  return { neighbours: 8, threshold: all[Math.floor(all.length / 4)]! + attack.length * 0 }
}
