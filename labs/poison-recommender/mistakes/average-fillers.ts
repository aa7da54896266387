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

/** Fillers at random, each around its own mean: known as the average attack. */
export function invent(shop: Shop, item: number, budget: number): Profile[] {
  const counts = popularity(shop)
  const sums = new Array<number>(shop.items).fill(0)
  for (const { item: rated, stars } of shop.ratings) sums[rated]! += stars
  const others = counts.map((_, i) => i).filter((other) => other !== item)
  return Array.from({ length: budget }, () => [
    { item, stars: 5 },
    ...shuffled(others)
      .slice(0, 27)
      .map((other) => ({ item: other, stars: Math.round(sums[other]! / Math.max(1, counts[other]!)) || 3 })),
  ])
}
