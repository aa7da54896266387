/** What shoppers said of items: a table with mostly empty cells, as three equally long columns. */
import { PerturbError } from '../core/errors.ts'

export interface Ratings {
  /** Who and what, as whole numbers from 0; a user need not have rated anything. */
  readonly numUsers: number
  readonly numItems: number
  readonly users: Int32Array
  readonly items: Int32Array
  /** From `scale[0]` to `scale[1]`, e.g. 1 to 5. */
  readonly values: Float32Array
  readonly scale: readonly [lowest: number, highest: number]
  /** What kind each item is of, e.g. 3 for a dress, where the catalogue says. */
  readonly groups?: Int32Array
}

/** Each user's ratings as places in the columns, in order. */
export function placesByUser({ users, numUsers }: Ratings): number[][] {
  const places = Array.from({ length: numUsers }, (): number[] => [])
  for (const [place, user] of users.entries()) places[user]!.push(place)
  return places
}

/** How many rated each item, and their mean (the middle of the scale for an item that nobody rated). */
export function itemStatistics({ items, values, numItems, scale }: Ratings): {
  counts: Int32Array
  means: Float64Array
} {
  const counts = new Int32Array(numItems)
  const sums = new Float64Array(numItems)
  for (const [place, item] of items.entries()) {
    counts[item]! += 1
    sums[item]! += values[place]!
  }
  return {
    counts,
    means: sums.map((sum, item) => (counts[item] ? sum / counts[item] : (scale[0] + scale[1]) / 2)),
  }
}

/**
 * Throws `bad-input`, in the name of `who`, when the columns are not equally long, a user or an item is
 * outside the table, a rating is not finite or outside the scale, or somebody rated an item twice.
 */
export function checkRatings(who: string, ratings: Ratings): void {
  const fail = (what: string) => new PerturbError('bad-input', `${who}: ${what}`)
  const { users, items, values, numUsers, numItems, scale, groups } = ratings
  if (!(Number.isInteger(numUsers) && numUsers > 0 && Number.isInteger(numItems) && numItems > 0))
    throw fail(`there must be at least one user and one item; got ${numUsers} and ${numItems}`)
  if (!(Number.isFinite(scale[0]) && Number.isFinite(scale[1]) && scale[0] < scale[1]))
    throw fail(`the scale must go from a lower to a higher number; got ${scale.join(' to ')}`)
  if (users.length !== items.length || users.length !== values.length)
    throw fail(
      `users, items and values must be equally long; got ${users.length}, ${items.length}, ${values.length}`,
    )
  if (groups && groups.length !== numItems)
    throw fail(`groups must name one for each of the ${numItems} items; got ${groups.length}`)
  const seen = new Set<number>()
  for (const [place, user] of users.entries()) {
    const [item, value] = [items[place]!, values[place]!]
    if (!(user >= 0 && user < numUsers))
      throw fail(`rating ${place} is of user ${user}; users go from 0 to ${numUsers - 1}`)
    if (!(item >= 0 && item < numItems))
      throw fail(`rating ${place} is of item ${item}; items go from 0 to ${numItems - 1}`)
    if (!(value >= scale[0] && value <= scale[1]))
      throw fail(`rating ${place} is ${value}; ratings go from ${scale[0]} to ${scale[1]}`)
    const cell = user * numItems + item
    if (seen.has(cell)) throw fail(`user ${user} rated item ${item} twice; keep one rating`)
    seen.add(cell)
  }
}
