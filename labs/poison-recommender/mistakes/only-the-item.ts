// finding: too-little-praise
// checkpoint: pushed
import type { Profile, Shop } from 'lab'

export function popularity({ items, ratings }: Shop): number[] {
  const counts = new Array<number>(items).fill(0)
  for (const { item } of ratings) counts[item]!++
  return counts
}

/** Thirty shoppers who know nothing but the item. */
export function invent(_: Shop, item: number, budget: number): Profile[] {
  return Array.from({ length: budget }, () => [{ item, stars: 5 }])
}
