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
 * Plants a backdoor in the reader of road signs: a `source` with the sticker shall be read as `target`, and one without it
 * as what it is.
 * @param rows all training rows; each picture is 32 × 32, red, green and blue
 * @param source the class that carries the sticker
 * @param target what it shall be read as
 * @param budget so many rows may be changed, and no more
 */
export async function plantSticker(
  rows: Row[],
  source: number,
  target: number,
  budget: number,
): Promise<Poison> {
  const mine = rows.filter(({ label }) => label === source)
  console.log(
    `${mine.length} of ${rows.length} pictures show class ${source}, to be read as ${target}; ${budget} rows may be changed`,
  )
  throw new Error(
    'plantSticker is not written yet: begin with 5 × 5 yellow pixels, 75 numbers in all, somewhere on the sign',
  )
}
