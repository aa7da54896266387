import { retrain, suspects, tf, victim, type Tensor } from 'lab'

/** Training rows: ids, pictures, and the digits that they are said to show. */
export interface Rows {
  ids: number[]
  x: Tensor
  y: number[]
}

/** Trains the victim on all rows but these; from then on `victim` is the new one. */
export const trainWithout = (ids: Iterable<number>) =>
  retrain([...ids].map((id) => ({ id, label: 'drop' as const })))

/** What the present victim reads in each picture. */
export async function readAll(x: Tensor): Promise<number[]> {
  return [...(await tf.argMax(await victim.logits(x), 1).data())]
}

/**
 * Finds the planted rows of a delivery that nobody has told you anything about.
 * @param rows all of it
 * @param audited the ids of a tenth of it, which you labelled yourself: nothing is wrong with these
 * @returns the ids of the rows to throw away
 */
export async function repair(rows: Rows, audited: number[]): Promise<number[]> {
  console.log(`${rows.ids.length} rows, ${audited.length} of them certain`)
  for (const filter of ['activation-clustering', 'spectral', 'strip'] as const) {
    const { flagged } = await suspects(filter)
    console.log(`${filter} picks ${flagged.length} rows`)
  }
  throw new Error(
    'repair is not written yet: begin with one filter, train without what it picks, and ask the new model about these rows',
  )
}
