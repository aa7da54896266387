// finding: strangers
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

/** Fillers at random, around the mean of all ratings (Lam and Riedl 2004). */
export function invent(shop: Shop, item: number, budget: number): Profile[] {
  const others = popularity(shop)
    .map((_, i) => i)
    .filter((other) => other !== item)
  return Array.from({ length: budget }, () => [
    { item, stars: 5 },
    ...shuffled(others)
      .slice(0, 27)
      .map((other) => ({ item: other, stars: 3 + Math.floor(3 * Math.random()) })),
  ])
}
