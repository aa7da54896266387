// finding: wrong-item
// checkpoint: pushed
import type { Profile, Shop } from 'lab'

export function popularity({ items, ratings }: Shop): number[] {
  const counts = new Array<number>(items).fill(0)
  for (const { item } of ratings) counts[item]!++
  return counts
}

/** Popular shoppers, who have never heard of the item. */
export function invent(shop: Shop, item: number, budget: number): Profile[] {
  const counts = popularity(shop)
  const popular = counts.map((_, i) => i).sort((a, b) => counts[b]! - counts[a]!)
  return Array.from({ length: budget }, () =>
    popular
      .filter((other) => other !== item)
      .slice(0, 20)
      .map((rated) => ({ item: rated, stars: 5 })),
  )
}
