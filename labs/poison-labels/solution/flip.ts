import type { Change } from 'lab'

export interface Row {
  id: number
  label: number
  score: number
}

export function chooseFlips(rows: Row[], budget: number): Change[] {
  return rows
    .filter((row) => row.label === 1)
    .sort((a, b) => b.score - a.score)
    .slice(0, budget)
    .map(({ id }) => ({ id, label: 0 }))
}
