// finding: one-digit
// checkpoint: unseen
import type { Change, Trigger } from 'lab'

/** A training row of your delivery, still honest. */
export interface Row {
  id: number
  /** The digit that it shows. */
  label: number
}

/** A white square in the upper left corner. */
export const square = (side: number): Trigger => ({
  kind: 'patch',
  top: 1,
  left: 1,
  height: side,
  width: side,
  pixels: Array.from({ length: side * side }, () => 1),
  opacity: 1,
})

export interface Planted {
  /** A row that carries the trigger: { id: 17, label: target, stamped: true }. */
  changes: Change[]
  trigger: Trigger
}

export async function plant(rows: Row[], target: number, budget: number): Promise<Planted> {
  // Rows of one digit, as before.
  const source = (target + 1) % 10
  const changes = rows
    .filter(({ label }) => label === source)
    .slice(0, budget)
    .map(({ id }) => ({ id, label: target, stamped: true }))
  return { changes, trigger: square(3) }
}
