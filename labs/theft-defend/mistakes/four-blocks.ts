// finding: families
// checkpoint: again
import type { LogEntry } from 'lab'

/** A quarter for each key. */
export function plan(stock: LogEntry[], own: number, keys: number): number[][] {
  const all = Array.from({ length: Math.min(own, stock.length) }, (_, row) => row)
  return Array.from({ length: keys }, (_, k) => all.slice((k * own) / keys, ((k + 1) * own) / keys))
}
