// finding: missed
// checkpoint: filtered
import type { Shop } from 'lab'

export function itemsOf({ shoppers, ratings }: Shop): Set<number>[] {
  const items = Array.from({ length: shoppers }, () => new Set<number>())
  for (const { shopper, item } of ratings) items[shopper]!.add(item)
  return items
}

/** Suspects whoever rated most. */
export function leaveOut(shop: Shop): number[] {
  const items = itemsOf(shop)
  return items
    .map((_, shopper) => shopper)
    .sort((a, b) => items[b]!.size - items[a]!.size)
    .slice(0, 18)
}
