// finding: too-few
// checkpoint: filtered
import type { Shop } from 'lab'

export function itemsOf({ shoppers, ratings }: Shop): Set<number>[] {
  const items = Array.from({ length: shoppers }, () => new Set<number>())
  for (const { shopper, item } of ratings) items[shopper]!.add(item)
  return items
}

export function likeness(a: Set<number>, b: Set<number>): number {
  let common = 0
  for (const item of a) if (b.has(item)) common++
  return common / (a.size + b.size - common)
}

/** Leaves out only the very worst. */
export function leaveOut(shop: Shop): number[] {
  const items = itemsOf(shop)
  const suspicion = items.map((own, shopper) =>
    items
      .map((other, i) => (i === shopper ? 0 : likeness(own, other)))
      .sort((a, b) => b - a)
      .slice(0, 8)
      .reduce((sum, value) => sum + value, 0),
  )
  return suspicion
    .map((_, shopper) => shopper)
    .sort((a, b) => suspicion[b]! - suspicion[a]!)
    .slice(0, 10)
}
