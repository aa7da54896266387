// finding: thrown-away
// checkpoint: repaired
import type { Change } from 'lab'

export interface Labelled {
  ids: number[]
  y: number[]
}

/** Trusts the audited rows alone. */
export async function repair({ ids }: Labelled, audited: Labelled): Promise<Change[]> {
  const truth = new Map(audited.ids.map((id, i) => [id, audited.y[i]!]))
  return ids.map((id) => ({ id, label: truth.get(id) ?? ('drop' as const) }))
}
