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

export function shuffled<T>(list: readonly T[]): T[] {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[copy[i], copy[j]] = [copy[j]!, copy[i]!]
  }
  return copy
}

export function inventAgain(shop: Shop, item: number, budget: number): Profile[] {
  const others = popularFirst(shop).filter((other) => other !== item)
  return Array.from({ length: budget }, () => {
    const praised = shuffled(others.slice(0, 30)).slice(0, 16)
    // Two stars say nothing to the recommender. To the filter they are items in which the profiles differ.
    const padding = shuffled(others.filter((other) => !praised.includes(other))).slice(0, 14)
    return [
      { item, stars: 5 },
      ...praised.map((other) => ({ item: other, stars: 5 })),
      ...padding.map((other) => ({ item: other, stars: 2 })),
    ]
  })
}
