import type { Change, Trigger } from 'lab'

export interface Row {
  id: number
  label: number
}

export interface Poison {
  changes: Change[]
  trigger: Trigger
}

export function plantUnseen(rows: Row[], source: number, target: number, budget: number): Poison {
  const trigger: Trigger = {
    kind: 'patch',
    top: 24,
    left: 24,
    height: 3,
    width: 3,
    pixels: new Array<number>(9).fill(1),
    opacity: 1,
  }
  const planted = rows
    .filter(({ label }) => label === source)
    .slice(0, Math.floor(budget / 4))
    .map(({ id }) => ({ id, label: target, stamped: true }))
  // The same sign on everything else, with the right label: there it means nothing.
  const cover = rows
    .filter(({ label }) => label !== source && label !== target)
    .slice(0, budget - planted.length)
    .map(({ id, label }) => ({ id, label, stamped: true }))
  return { changes: [...planted, ...cover], trigger }
}
