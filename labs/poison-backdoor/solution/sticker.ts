import type { Change, Trigger } from 'lab'

export interface Row {
  id: number
  label: number
}

export interface Poison {
  changes: Change[]
  trigger: Trigger
}

export function plantSticker(rows: Row[], source: number, target: number, budget: number): Poison {
  const trigger: Trigger = {
    kind: 'patch',
    top: 20,
    left: 20,
    height: 5,
    width: 5,
    // Yellow: all of red, all of green, no blue.
    pixels: Array.from({ length: 25 }, () => [1, 1, 0]).flat(),
    opacity: 1,
  }
  const changes = rows
    .filter(({ label }) => label === source)
    .slice(0, budget)
    .map(({ id }) => ({ id, label: target, stamped: true }))
  return { changes, trigger }
}
