// finding: doubt-lost
// checkpoint: counter
/** How the hospital's API answers from now on. */
export interface Counter {
  /** Answers are rounded to multiples of this, from 0 (exact) to 1 (the class alone). */
  step: number
  /** Rows that one key may ask about in a day. */
  perDay: number
}

/** What is not told cannot be stolen. */
export function settle(_patients: number[], days: number[]): Counter {
  return { step: 1, perDay: Math.ceil(1.2 * Math.max(...days)) }
}
