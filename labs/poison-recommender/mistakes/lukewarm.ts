// finding: too-little-praise
// checkpoint: pushed
import type { Profile, Shop } from 'lab'

export function popularity({ items, ratings }: Shop): number[] {
  const counts = new Array<number>(items).fill(0)
  for (const { item } of ratings) counts[item]!++
  return counts
}
const shuffled = <T>(list: readonly T[]): T[] =>
  list
    .map((value) => ({ value, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value)

/** Only the item gets five stars; the popular ones get two, which says nothing. */
export function invent(shop: Shop, item: number, budget: number): Profile[] {
  const counts = popularity(shop)
  const popular = counts.map((_, i) => i).sort((a, b) => counts[b]! - counts[a]!)
  const pool = popular.filter((other) => other !== item).slice(0, 30)
  return Array.from({ length: budget }, () => [
    { item, stars: 5 },
    ...shuffled(pool)
      .slice(0, 16)
      .map((other) => ({ item: other, stars: 2 })),
  ])
}
