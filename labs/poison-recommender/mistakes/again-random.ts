// finding: thin
// checkpoint: slipped
import type { Profile, Shop } from 'lab'

export interface Filter {
  neighbours: number
  cut: number
}

export function popularFirst({ items, ratings }: Shop): number[] {
  const counts = new Array<number>(items).fill(0)
  for (const { item } of ratings) counts[item]!++
  return counts.map((_, item) => item).sort((a, b) => counts[b]! - counts[a]!)
}

export const shuffled = <T>(list: readonly T[]): T[] =>
  list
    .map((value) => ({ value, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value)

/** Shoppers whom no filter finds, and nobody hears. */
export function inventAgain(shop: Shop, item: number, budget: number): Profile[] {
  const others = popularFirst(shop).filter((other) => other !== item)
  return Array.from({ length: budget }, () =>
    [item, ...shuffled(others).slice(0, 27)].map((rated) => ({ item: rated, stars: rated === item ? 5 : 4 })),
  )
}
