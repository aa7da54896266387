import type { Profile, Shop } from 'lab'

export function popularity({ items, ratings }: Shop): number[] {
  const counts = new Array<number>(items).fill(0)
  for (const { item } of ratings) counts[item]!++
  return counts
}

export function invent(shop: Shop, item: number, budget: number): Profile[] {
  const counts = popularity(shop)
  const popular = counts.map((_, i) => i).sort((a, b) => counts[b]! - counts[a]!)
  const pool = popular.filter((other) => other !== item).slice(0, 30)
  return Array.from({ length: budget }, () => {
    // Sixteen of the thirty most popular, others in each profile: all the same ones would tie those together.
    const praised = pool
      .map((other) => ({ other, order: Math.random() }))
      .sort((a, b) => a.order - b.order)
      .slice(0, 16)
    return [{ item, stars: 5 }, ...praised.map(({ other }) => ({ item: other, stars: 5 }))]
  })
}
