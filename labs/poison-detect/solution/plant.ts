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

export async function plant(rows: Row[], target: number, budget: number): Promise<Planted> {
  // One row of each digit in turn, so that they have nothing in common but the square.
  const piles = Array.from({ length: 10 }, (_, digit) => rows.filter(({ label }) => label === digit))
  const spread = piles[0]!
    .flatMap((_, i) => piles.map((pile) => pile[i]))
    .filter((row): row is Row => row !== undefined && row.label !== target)
  let best: (Planted & { success: number }) | undefined
  for (const [side, count] of [
    [5, 9],
    [5, 15],
    [3, 18],
    [3, 28],
  ] as const) {
    const trigger = square(side)
    const changes = spread
      .slice(0, Math.min(count, budget))
      .map(({ id }) => ({ id, label: target, stamped: true }))
    await retrain(changes, { trigger })
    const { flagged } = await suspects('activation-clustering')
    // What the buyer does: throw away what the filter picks, and train again.
    const gone = new Set(flagged)
    const left = changes.filter(({ id }) => !gone.has(id))
    const drops = flagged.map((id) => ({ id, label: 'drop' as const }))
    const { success = 0 } = await retrain([...left, ...drops], { trigger })
    console.log(`${count} rows, a square of ${side}: ${(100 * success).toFixed(0)} % obey after the repair`)
    if (!best || success > best.success) best = { changes, trigger, success }
    if (success > 0.82) break
  }
  return { changes: best!.changes, trigger: best!.trigger }
}
