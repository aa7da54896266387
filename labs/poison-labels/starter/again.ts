import { retrain, type Change } from 'lab'

/** A row of the bank's training data. */
export interface Row {
  id: number
  /** 1: an analyst called it fraud. 0: honest. */
  label: number
  /** How sure the bank's model is that it is fraud, 0 to 1. */
  score: number
  /** Its fifteen numbers, each from 0 to 1. */
  x: number[]
}

/** How different two payments are. */
export const distance = (a: Row, b: Row) => a.x.reduce((sum, value, i) => sum + (value - b.x[i]!) ** 2, 0)

/**
 * Chooses labels to turn, knowing the repair: every audited row gets its true label, and what is called honest and is
 * fraud in the judge's eyes is called fraud again.
 */
export async function chooseAgain(rows: Row[], budget: number): Promise<Change[]> {
  const surest = rows.filter((row) => row.label === 1).sort((a, b) => b.score - a.score)
  const before = surest.slice(0, budget / 2).map(({ id }) => ({ id, label: 0 }))
  const { recall } = await retrain(before)
  console.log(
    `What you did first leaves a recall of ${(100 * recall).toFixed(1)} %, until the bank repairs it`,
  )
  throw new Error('chooseAgain is not written yet: what does the repair never look at?')
}
