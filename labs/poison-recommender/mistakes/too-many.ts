// finding: over-budget
// checkpoint: pushed
import type { Profile, Shop } from 'lab'

export function popularity({ items, ratings }: Shop): number[] {
  const counts = new Array<number>(items).fill(0)
  for (const { item } of ratings) counts[item]!++
  return counts
}

/** The budget is forgotten. */
export function invent(shop: Shop, item: number): Profile[] {
  const counts = popularity(shop)
  const popular = counts.map((_, i) => i).sort((a, b) => counts[b]! - counts[a]!)
  return Array.from({ length: 60 }, () =>
    [item, ...popular.filter((other) => other !== item).slice(0, 20)].map((rated) => ({
      item: rated,
      stars: 5,
    })),
  )
}
