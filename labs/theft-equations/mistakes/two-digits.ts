// finding: too-exact
// checkpoint: counter
/** How the hospital's API answers from now on. */
export interface Counter {
  /** Answers are rounded to multiples of this, from 0 (exact) to 1 (the class alone). */
  step: number
  /** Rows that one key may ask about in a day. */
  perDay: number
}

/** Rounding to two digits, as everybody does. */
export function settle(_patients: number[], days: number[]): Counter {
  return { step: 0.01, perDay: Math.ceil(1.2 * Math.max(...days)) }
}
