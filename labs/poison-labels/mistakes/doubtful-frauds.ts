// finding: doubtful
// checkpoint: poisoned
import type { Change } from 'lab'

export interface Row {
  id: number
  label: number
  score: number
}

/** Sorted the wrong way round: the frauds that the model doubts. */
export function chooseFlips(rows: Row[], budget: number): Change[] {
  return rows
    .filter((row) => row.label === 1)
    .sort((a, b) => a.score - b.score)
    .slice(0, budget / 2)
    .map(({ id }) => ({ id, label: 0 }))
}
