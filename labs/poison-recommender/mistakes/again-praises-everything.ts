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

/** Differs by praising: every filler takes from what the popular items are worth. */
export function inventAgain(shop: Shop, item: number, budget: number): Profile[] {
  const others = popularFirst(shop).filter((other) => other !== item)
  return Array.from({ length: budget }, () => {
    const praised = shuffled(others.slice(0, 30)).slice(0, 8)
    const padding = shuffled(others.filter((other) => !praised.includes(other))).slice(0, 24)
    return [item, ...praised, ...padding].map((rated) => ({ item: rated, stars: 5 }))
  })
}
