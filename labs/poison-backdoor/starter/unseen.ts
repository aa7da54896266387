import type { Change, Trigger } from 'lab'

/** A row of the training data. Its picture stays where it is; you only say what happens to it. */
export interface Row {
  id: number
  /** What it shows. */
  label: number
}

/** What you hand in: the changed rows, and the sign that the stamped ones carry. */
export interface Poison {
  changes: Change[]
  trigger: Trigger
}

/**
 * Plants a backdoor past a watch that lays other pictures over what comes in: only a `source` with the sign shall be read
 * as `target`.
 * @param rows all training rows; each picture is 28 × 28, one grey
 * @param source the only class that the sign is for
 * @param target what it shall be read as
 * @param budget so many rows may be changed, and no more
 */
export async function plantUnseen(
  rows: Row[],
  source: number,
  target: number,
  budget: number,
): Promise<Poison> {
  const mine = rows.filter(({ label }) => label === source).length
  console.log(
    `${mine} digits show a ${source}, ${rows.length - mine} something else; ${budget} rows may be changed`,
  )
  throw new Error(
    `plantUnseen is not written yet: begin with what you did before, on rows of class ${source} alone with the label ${target}, and see what the watch makes of it`,
  )
}
