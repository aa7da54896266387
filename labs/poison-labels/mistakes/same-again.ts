// finding: found-again
// checkpoint: slipped
import type { Change } from 'lab'

export interface Row {
  id: number
  label: number
  score: number
  x: number[]
}

/** What worked the first time, and as much of it. */
export async function chooseAgain(rows: Row[], budget: number): Promise<Change[]> {
  return rows
    .filter((row) => row.label === 1)
    .sort((a, b) => b.score - a.score)
    .slice(0, budget / 2)
    .map(({ id }) => ({ id, label: 0 }))
}
