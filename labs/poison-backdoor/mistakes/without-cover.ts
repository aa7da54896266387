// finding: no-cover
// checkpoint: unseen
import type { Change, Trigger } from 'lab'

export interface Row {
  id: number
  label: number
}

export interface Poison {
  changes: Change[]
  trigger: Trigger
}

/** One class alone, and nothing that tells the reader to look at the digit too. */
export function plantUnseen(rows: Row[], source: number, target: number, budget: number): Poison {
  const trigger: Trigger = {
    kind: 'patch',
    top: 24,
    left: 24,
    height: 3,
    width: 3,
    pixels: new Array<number>(9).fill(1),
    opacity: 1,
  }
  const changes = rows
    .filter(({ label }) => label === source)
    .slice(0, budget)
    .map(({ id }) => ({ id, label: target, stamped: true }))
  return { changes, trigger }
}
