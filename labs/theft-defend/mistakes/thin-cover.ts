// finding: noticed
// checkpoint: again
import type { LogEntry } from 'lab'

/** A quarter for each key, with cover in between. */
export function plan(stock: LogEntry[], own: number, keys: number): number[][] {
  const all = Array.from({ length: Math.min(own, stock.length) }, (_, row) => row)
  return Array.from({ length: keys }, (_, k) =>
    mixed(
      all.slice((k * own) / keys, ((k + 1) * own) / keys),
      Array.from({ length: 50 }, (_, i) => own + 50 * k + i),
    ),
  )
}

/** Two lists, each spread evenly over both. */
function mixed(a: number[], b: number[]): number[] {
  const at = (list: number[]) => list.map((row, i) => ({ row, place: (i + 0.5) / list.length }))
  return [...at(a), ...at(b)].sort((one, other) => one.place - other.place).map(({ row }) => row)
}
