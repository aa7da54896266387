import { retrain, type Change } from 'lab'

/** A row of the bank's training data. */
export interface Row {
  id: number
  /** 1: an analyst called it fraud. 0: honest. */
  label: number
  /** How sure the bank's model is that it is fraud, 0 to 1. */
  score: number
}

/**
 * Chooses the labels that the bought analyst turns.
 * @param rows all training rows
 * @param budget so many labels may be turned, and no more
 * @returns the changes, e.g. [{ id: 17, label: 0 }]
 */
export async function chooseFlips(rows: Row[], budget: number): Promise<Change[]> {
  const frauds = rows.filter((row) => row.label === 1)
  console.log(`${frauds.length} frauds among ${rows.length} payments; ${budget} labels may be turned`)
  const few = frauds.slice(0, 20).map(({ id }) => ({ id, label: 0 }))
  const { recall } = await retrain(few)
  console.log(`With the first ${few.length} of them turned, the bank finds ${(100 * recall).toFixed(1)} %`)
  throw new Error(
    'chooseFlips is not written yet: begin by returning as many frauds as may be turned, and see what it costs the bank',
  )
}
