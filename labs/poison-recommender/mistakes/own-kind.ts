// finding: one-kind
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

/** The segment attack: praises the item’s own kind, and runs down the rest. */
export function invent(shop: Shop, item: number, budget: number): Profile[] {
  const counts = popularity(shop)
  const others = counts.map((_, i) => i).filter((other) => other !== item)
  const kind = others
    .filter((other) => shop.kinds[other] === shop.kinds[item])
    .sort((a, b) => counts[b]! - counts[a]!)
    .slice(0, 10)
  return Array.from({ length: budget }, () => [
    { item, stars: 5 },
    ...kind.map((other) => ({ item: other, stars: 5 })),
    ...shuffled(others.filter((other) => !kind.includes(other)))
      .slice(0, 17)
      .map((other) => ({ item: other, stars: 1 })),
  ])
}
