import { retrain, type Change } from 'lab'

/** Rows of the bank's training data, as some analyst labelled them: 1 is fraud, 0 honest. */
export interface Labelled {
  ids: number[]
  y: number[]
}

/**
 * Mends the training data.
 * @param rows all of it; some labels were turned
 * @param audited some of its rows with their true labels
 * @returns the changes: another label for a row, or 'drop'
 */
export async function repair(rows: Labelled, audited: Labelled): Promise<Change[]> {
  const truth = new Map(audited.ids.map((id, i) => [id, audited.y[i]!]))
  const wrong = rows.ids.filter((id, i) => truth.has(id) && truth.get(id) !== rows.y[i])
  console.log(`${wrong.length} of ${audited.ids.length} audited rows have a wrong label`)
  const { recall } = await retrain()
  console.log(`On the data as they are the bank finds ${(100 * recall).toFixed(1)} % of the frauds`)
  throw new Error('repair is not written yet: begin by giving the audited rows their true labels')
}
