// finding: scattered
// checkpoint: slipped
import type { Change } from 'lab'

export interface Row {
  id: number
  label: number
  score: number
  x: number[]
}

/** Honest payments from everywhere, called fraud. */
export async function chooseAgain(rows: Row[], budget: number): Promise<Change[]> {
  const honest = rows.filter((row) => row.label === 0)
  const step = Math.floor(honest.length / budget)
  return honest
    .filter((_, i) => i % step === 0)
    .slice(0, budget)
    .map(({ id }) => ({ id, label: 1 }))
}
