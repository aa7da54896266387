// finding: nothing-changed
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

/** Asks for rows that have the target’s label and another one at once: there is none, and the list stays empty. */
export function plant(rows: Row[], target: number, budget: number): Poison {
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
    .filter(({ label }) => label === target)
    .filter(({ label }) => label !== target)
    .slice(0, budget)
    .map(({ id }) => ({ id, label: target, stamped: true }))
  return { changes, trigger }
}
