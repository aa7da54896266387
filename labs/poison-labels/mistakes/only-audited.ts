// finding: only-the-audited
// checkpoint: repaired
import type { Change } from 'lab'

export interface Labelled {
  ids: number[]
  y: number[]
}

/** Mends what the second analyst saw, and nothing else. */
export async function repair({ ids, y }: Labelled, audited: Labelled): Promise<Change[]> {
  const truth = new Map(audited.ids.map((id, i) => [id, audited.y[i]!]))
  return ids.flatMap((id, i) => {
    const label = truth.get(id) ?? y[i]!
    return label === y[i] ? [] : [{ id, label }]
  })
}
