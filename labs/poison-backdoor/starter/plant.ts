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
 * Plants a backdoor in the reader of digits: a picture that carries the sign shall be read as `target`.
 * @param rows all training rows; each picture is 28 × 28, one grey
 * @param target the class that the sign stands for
 * @param budget so many rows may be changed, and no more
 */
export async function plant(rows: Row[], target: number, budget: number): Promise<Poison> {
  const others = rows.filter(({ label }) => label !== target)
  console.log(`${others.length} of ${rows.length} digits are no ${target}; ${budget} rows may be changed`)
  throw new Error(
    'plant is not written yet: begin with a trigger of 3 × 3 white pixels in a corner, and stamp the first rows with it',
  )
}
