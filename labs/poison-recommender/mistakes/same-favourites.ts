// finding: loud
// checkpoint: pushed
import type { Profile, Shop } from 'lab'

export function popularity({ items, ratings }: Shop): number[] {
  const counts = new Array<number>(items).fill(0)
  for (const { item } of ratings) counts[item]!++
  return counts
}

/** Everybody praises exactly the twenty-seven most popular items. */
export function invent(shop: Shop, item: number, budget: number): Profile[] {
  const counts = popularity(shop)
  const popular = counts.map((_, i) => i).sort((a, b) => counts[b]! - counts[a]!)
  return Array.from({ length: budget }, () =>
    [item, ...popular.filter((other) => other !== item).slice(0, 27)].map((rated) => ({
      item: rated,
      stars: 5,
    })),
  )
}
