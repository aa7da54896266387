import { stats, type LogEntry } from 'lab'

/** What is usual for an honest account. Keep what your watch needs. */
export interface Limits {
  /** The account is closed when W of its distances falls below this. */
  shape: number
}

/**
 * Learns what is usual, from the accounts of last week. Six of the customers send hardly anything but three digits.
 *
 * @param honest each account's questions, in order
 */
export function settle(honest: LogEntry[][]): Limits {
  const first = honest[0]!
  console.log(`${honest.length} honest accounts of ${first.length} questions`)
  console.log(`the second question lies ${first[1]!.distances[0]!.toFixed(2)} from the first`)
  console.log(`W of the numbers 1 to 9 is ${stats.shapiroWilk([1, 2, 3, 4, 5, 6, 7, 8, 9]).toFixed(3)}`)
  // Yours: how low does W get for honest accounts? How far apart do their questions lie? How sure is the model of them?
  throw new Error(
    'settle is not written yet. First try: for one account, the distance of each question to the nearest earlier one with the same answer, and stats.shapiroWilk of the first hundred of these.',
  )
}

/**
 * A watch over one account, with a memory of its own. The function that it returns is called for every question as it comes;
 * true closes the account.
 */
export function watch(limits: Limits): (entry: LogEntry) => boolean {
  return (entry) => entry.distances.length > 1000 * limits.shape
}
