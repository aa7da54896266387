// finding: one-key
// checkpoint: again
import type { LogEntry } from 'lab'

/** All cover for one key. */
export function plan(stock: LogEntry[], own: number, keys: number): number[][] {
  const cover = Array.from({ length: 50 * keys }, (_, i) => own + i)
  return [
    mixed(
      Array.from({ length: Math.min(own, stock.length) }, (_, row) => row),
      cover,
    ),
  ]
}

/** Two lists, each spread evenly over both. */
function mixed(a: number[], b: number[]): number[] {
  const at = (list: number[]) => list.map((row, i) => ({ row, place: (i + 0.5) / list.length }))
  return [...at(a), ...at(b)].sort((one, other) => one.place - other.place).map(({ row }) => row)
}
