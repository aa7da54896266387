/** How the hospital's API answers from now on. */
export interface Counter {
  /** Answers are rounded to multiples of this, from 0 (exact) to 1 (the class alone). */
  step: number
  /** Rows that one key may ask about in a day. */
  perDay: number
}

/** The coarsest step that still shows every doubtful patient as doubtful, and the busiest day with a fifth to spare. */
export function settle(patients: number[], days: number[]): Counter {
  const doubtful = patients.filter((p) => p > 0.2 && p < 0.8)
  const told = (p: number, step: number) => Math.round(p / step) * step
  const seen = (step: number) => doubtful.every((p) => told(p, step) > 0.1 && told(p, step) < 0.9)
  return {
    step: [0.25, 0.2, 0.1, 0.05, 0.01].find(seen) ?? 0,
    perDay: Math.ceil(1.2 * Math.max(...days)),
  }
}
