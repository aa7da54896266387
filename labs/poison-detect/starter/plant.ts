import { retrain, suspects, type Change, type Trigger } from 'lab'

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

/**
 * Plants a backdoor: whatever carries your trigger is to be read as the target. The buyer trains on what you deliver, throws
 * away what activation clustering picks, and trains again.
 */
export async function plant(rows: Row[], target: number, budget: number): Promise<Planted> {
  const trigger = square(3)
  const source = (target + 1) % 10
  const changes = rows
    .filter(({ label }) => label === source)
    .slice(0, budget)
    .map(({ id }) => ({ id, label: target, stamped: true }))
  const { success } = await retrain(changes, { trigger })
  const { flagged } = await suspects('activation-clustering')
  const caught = changes.filter(({ id }) => flagged.includes(id)).length
  console.log(
    `${(100 * (success ?? 0)).toFixed(0)} % obey; the filter catches ${caught} of ${changes.length} rows`,
  )
  throw new Error('plant is not written yet: these rows are a crowd of their own, so what would not be one?')
}
