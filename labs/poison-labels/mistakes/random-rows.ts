// finding: hardly-any-fraud
// checkpoint: poisoned
import type { Change } from 'lab'

export interface Row {
  id: number
  label: number
  score: number
}

/** Labels turned at random: nearly all of them were honest. */
export function chooseFlips(rows: Row[], budget: number): Change[] {
  return rows
    .filter(() => Math.random() < budget / rows.length)
    .slice(0, budget)
    .map(({ id, label }) => ({ id, label: 1 - label }))
}
