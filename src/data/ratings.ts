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

/** A shop's ratings, and what each shopper rated last: kept back, so that a recommender can be asked to guess it. */
export interface SplitRatings {
  readonly known: Ratings
  /** For each user the items kept back, equally many; a user who rated no more than that has none of them. */
  readonly keptBack: readonly Int32Array[]
}

/**
 * Reads lines of user, item, value (and more, which is left out) below a header, each user's in the order of time, and
 * keeps each user's last ratings back. `file` is used in errors. Throws PerturbError `unreadable` for a line that is no
 * rating, `bad-input` as checkRatings does.
 */
export function readRatings(
  file: string,
  csv: string,
  table: Pick<Ratings, 'numUsers' | 'numItems' | 'scale' | 'groups'>,
  keptBack: number,
): SplitRatings {
  const rows = csv
    .trim()
    .split('\n')
    .slice(1)
    .map((line, i) => {
      const [user = NaN, item = NaN, value = NaN] = line.split(',').map(Number)
      if (![user, item].every((n) => Number.isInteger(n) && n >= 0) || !Number.isFinite(value))
        throw new PerturbError(
          'unreadable',
          `${file}: line ${i + 2} must be a user, an item and a rating; got "${line.slice(0, 40)}"`,
        )
      return { user, item, value }
    })
  checkRatings(file, ratingsOf(rows, table))
  const byUser = Array.from({ length: table.numUsers }, (): typeof rows => [])
  for (const row of rows) byUser[row.user]!.push(row)
  const cut = (own: typeof rows) => (own.length > keptBack ? own.length - keptBack : own.length)
  return {
    known: ratingsOf(
      byUser.flatMap((own) => own.slice(0, cut(own))),
      table,
    ),
    keptBack: byUser.map((own) => Int32Array.from(own.slice(cut(own)), ({ item }) => item)),
  }
}

const ratingsOf = (
  rows: readonly { user: number; item: number; value: number }[],
  table: Pick<Ratings, 'numUsers' | 'numItems' | 'scale' | 'groups'>,
): Ratings => ({
  ...table,
  users: Int32Array.from(rows, ({ user }) => user),
  items: Int32Array.from(rows, ({ item }) => item),
  values: Float32Array.from(rows, ({ value }) => value),
})

/** Each user's ratings as places in the columns, in order. */
export function placesByUser({ users, numUsers }: Ratings): number[][] {
  const places = Array.from({ length: numUsers }, (): number[] => [])
  for (const [place, user] of users.entries()) places[user]!.push(place)
  return places
}

/**
 * The ratings with those of invented users after them. profiles: for each invented user the items and values. Throws
 * `bad-input` as checkRatings does; a user without ratings is allowed.
 */
export function withProfiles(ratings: Ratings, profiles: readonly Profile[]): Ratings {
  const added = profiles.flatMap((profile, i) =>
    profile.map(({ item, value }) => ({ user: ratings.numUsers + i, item, value })),
  )
  const joined = {
    ...ratings,
    numUsers: ratings.numUsers + profiles.length,
    users: Int32Array.from([...ratings.users, ...added.map(({ user }) => user)]),
    items: Int32Array.from([...ratings.items, ...added.map(({ item }) => item)]),
    values: Float32Array.from([...ratings.values, ...added.map(({ value }) => value)]),
  }
  checkRatings('withProfiles', joined)
  return joined
}

/** What one user said of items, each once. */
export type Profile = readonly { readonly item: number; readonly value: number }[]

/** The ratings with users under other numbers: user u becomes order[u]. */
export const renumbered = (ratings: Ratings, order: ArrayLike<number>): Ratings => ({
  ...ratings,
  users: ratings.users.map((user) => order[user]!),
})

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
