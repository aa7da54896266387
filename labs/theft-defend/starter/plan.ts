import type { LogEntry } from 'lab'

/**
 * Who asks what, and when: for each key the rows of the stock in the order in which it asks about them. A row that stands nowhere is not
 * asked about; your own questions are the rows below `own`, and everything behind them is cover.
 *
 * @param stock distances[j] of row i is how far it lies from row j, j < i
 */
export function plan(stock: LogEntry[], own: number, keys: number): number[][] {
  console.log(`${own} questions, ${stock.length - own} pictures of cover, ${keys} keys`)
  // Yours: the watch reads each key by itself. What gives a question away, and in whose company does it not?
  throw new Error(
    'plan is not written yet. First try: for each question of yours, the distance to the nearest of yours before it, and which one that is.',
  )
}
