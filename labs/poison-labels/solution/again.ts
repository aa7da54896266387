import { retrain, type Change } from 'lab'

export interface Row {
  id: number
  label: number
  score: number
  x: number[]
}

export const distance = (a: Row, b: Row) => a.x.reduce((sum, value, i) => sum + (value - b.x[i]!) ** 2, 0)

export async function chooseAgain(rows: Row[], budget: number): Promise<Change[]> {
  const honest = rows.filter((row) => row.label === 0).sort((a, b) => a.score - b.score)
  let best: { changes: Change[]; recall: number } | undefined
  // One kind of honest payment, called fraud: try five kinds, and keep the one that costs the bank most.
  for (const share of [0, 0.25, 0.5, 0.7, 0.9]) {
    const centre = honest[Math.floor(share * honest.length)]!
    const changes = honest
      .map((row) => ({ row, far: distance(row, centre) }))
      .sort((a, b) => a.far - b.far)
      .slice(0, budget)
      .map(({ row }) => ({ id: row.id, label: 1 }))
    // One in four is looked at again, and put right.
    const { recall } = await retrain(changes.filter((_, i) => i % 4 !== 0))
    if (!best || recall < best.recall) best = { changes, recall }
  }
  return best!.changes
}
