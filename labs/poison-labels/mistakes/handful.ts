// finding: wrong-kind
// checkpoint: slipped
import type { Change } from 'lab'

export interface Row {
  id: number
  label: number
  score: number
  x: number[]
}

const distance = (a: Row, b: Row) => a.x.reduce((sum, value, i) => sum + (value - b.x[i]!) ** 2, 0)

/** One kind of honest payment, and only forty of it. */
export async function chooseAgain(rows: Row[]): Promise<Change[]> {
  const honest = rows.filter((row) => row.label === 0)
  const centre = honest[0]!
  return honest
    .map((row) => ({ row, far: distance(row, centre) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, 40)
    .map(({ row }) => ({ id: row.id, label: 1 }))
}
