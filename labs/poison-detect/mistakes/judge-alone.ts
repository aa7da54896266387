// finding: every-label
// checkpoint: repaired
import { retrain, tf, victim, type Tensor } from 'lab'

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

export async function repair(rows: Rows, audited: number[]): Promise<number[]> {
  // Whatever a model of the audited rows reads otherwise.
  const certain = new Set(audited)
  await trainWithout(rows.ids.filter((id) => !certain.has(id)))
  const read = await readAll(rows.x)
  return rows.ids.filter((_, i) => read[i] !== rows.y[i])
}
