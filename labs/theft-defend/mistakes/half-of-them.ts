// finding: few-answers
// checkpoint: again
import type { LogEntry } from 'lab'

/** Pictures of cover for each key. */
const cover = 50

/** Relatives under different keys, and a little cover from the first question to the last. */
export function plan(stock: LogEntry[], own: number, keys: number): number[][] {
  const key: number[] = []
  const mine: number[][] = Array.from({ length: keys }, () => [])
  for (let row = 0; row < own / 2; row++) {
    const { distances } = stock[row]!
    // How near the nearest picture would be that the same key has asked about: the farther, the better.
    const alone = mine.map((rows) => Math.min(8, ...rows.map((earlier) => distances[earlier]!)))
    const farthest = Math.max(...alone)
    const fitting = mine.map((_, k) => k).filter((k) => alone[k]! > farthest - 1e-9)
    const chosen = fitting.reduce((best, k) => (mine[k]!.length < mine[best]!.length ? k : best))
    key.push(chosen)
    mine[chosen]!.push(row)
  }
  return mine.map((rows, k) => {
    const others = Array.from({ length: cover }, (_, i) => own + k * cover + i)
    return mixed(rows, others)
  })
}

/** Two lists, each spread evenly over both. */
function mixed(a: number[], b: number[]): number[] {
  const at = (list: number[]) => list.map((row, i) => ({ row, place: (i + 0.5) / list.length }))
  return [...at(a), ...at(b)].sort((one, other) => one.place - other.place).map(({ row }) => row)
}
