// finding: no-fraud-left
// checkpoint: repaired
import type { Change } from 'lab'

export interface Labelled {
  ids: number[]
  y: number[]
}

/** Takes the few that are called fraud for the ones that were turned. */
export async function repair({ ids, y }: Labelled): Promise<Change[]> {
  return ids.filter((_, i) => y[i] === 1).map((id) => ({ id, label: 0 }))
}
