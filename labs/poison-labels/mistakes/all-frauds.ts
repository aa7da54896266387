// finding: over-budget
// checkpoint: poisoned
import type { Change } from 'lab'

export interface Row {
  id: number
  label: number
  score: number
}

/** Every fraud: the budget is forgotten. */
export function chooseFlips(rows: Row[]): Change[] {
  return rows.filter((row) => row.label === 1).map(({ id }) => ({ id, label: 0 }))
}
