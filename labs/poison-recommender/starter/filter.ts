import type { Shop } from 'lab'

/** Each shopper's items, by the shopper's number. */
export function itemsOf({ shoppers, ratings }: Shop): Set<number>[] {
  const items = Array.from({ length: shoppers }, () => new Set<number>())
  for (const { shopper, item } of ratings) items[shopper]!.add(item)
  return items
}

/** How alike two profiles are: items that both hold, as a share of all that either holds (Jaccard). */
export function likeness(a: Set<number>, b: Set<number>): number {
  let common = 0
  for (const item of a) if (b.has(item)) common++
  return common / (a.size + b.size - common)
}

/**
 * Says who was invented.
 * @param shop everything that shoppers said, some thirty invented ones among them
 * @returns the numbers of the shoppers whom the recommender shall not listen to
 */
export async function leaveOut(shop: Shop): Promise<number[]> {
  const items = itemsOf(shop)
  console.log(
    `${shop.shoppers} shoppers; the first two are alike by ${likeness(items[0]!, items[1]!).toFixed(2)}`,
  )
  throw new Error(
    'leaveOut is not written yet: begin with a suspicion for each shopper, say how alike the eight nearest others are',
  )
}
