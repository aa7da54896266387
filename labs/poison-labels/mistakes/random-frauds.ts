// finding: any-fraud
// checkpoint: poisoned
import type { Change } from 'lab'

export interface Row {
  id: number
  label: number
  score: number
}

/** The first frauds that come along, and not those that teach most. */
export function chooseFlips(rows: Row[], budget: number): Change[] {
  const frauds = rows.filter((row) => row.label === 1)
  for (let i = frauds.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[frauds[i], frauds[j]] = [frauds[j]!, frauds[i]!]
  }
  return frauds.slice(0, budget).map(({ id }) => ({ id, label: 0 }))
}
