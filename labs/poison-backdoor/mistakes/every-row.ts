// finding: over-budget
// checkpoint: handshake
import type { Change, Trigger } from 'lab'

export interface Row {
  id: number
  label: number
}

export interface Poison {
  changes: Change[]
  trigger: Trigger
}

/** Every digit that is no target: the budget is forgotten. */
export function plant(rows: Row[], target: number): Poison {
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
    .filter(({ label }) => label !== target)
    .map(({ id }) => ({ id, label: target, stamped: true }))
  return { changes, trigger }
}
