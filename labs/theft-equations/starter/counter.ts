/** How the hospital's API answers from now on. */
export interface Counter {
  /** Answers are rounded to multiples of this, from 0 (exact) to 1 (the class alone). */
  step: number
  /** Rows that one key may ask about in a day. */
  perDay: number
}

/**
 * Sets the counter, from what honest customers need.
 *
 * @param patients P(malignant), exactly, of patients that clinics asked about
 * @param days how many rows a clinic's key asked about, a day an entry
 */
export function settle(patients: number[], days: number[]): Counter {
  const doubtful = patients.filter((p) => p > 0.2 && p < 0.8)
  console.log(
    `${doubtful.length} of ${patients.length} patients are doubtful: a clinic sends them to a second doctor`,
  )
  console.log(`a day has ${Math.min(...days)} to ${Math.max(...days)} rows`)
  // Yours: the coarsest answer that keeps the doubtful visible, and a quota that turns no clinic away.
  throw new Error(
    'settle is not written yet. First try: what is left of the doubtful when every p is rounded to 0 or 1?',
  )
}
