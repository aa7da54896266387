import type { Patient } from './steal'

/**
 * What to ask when every answer has two digits only. The answers then go through your own `solve`.
 *
 * @param d how many measurements a patient has
 * @param known patients of the public table
 */
export function questions(d: number, known: Patient[]): Patient[] {
  console.log(
    `an answer of 0.50 may be anything from 0.495 to 0.505; ${d} weights, ${known.length} known patients`,
  )
  // Yours: 31 rows again, placed where a rounded answer still says most.
  throw new Error(
    'questions is not written yet. First try: the rows of steal.ts, at half and at twice the length.',
  )
}
