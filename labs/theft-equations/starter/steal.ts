/** A patient, as the API takes one: 30 standardised measurements. 0 is the average patient's, 1 one deviation above it. */
export type Patient = ArrayLike<number>
/** P(malignant) = 1 / (1 + e^−(weights · x + bias)). */
export interface Copy {
  weights: number[]
  bias: number
}

/**
 * What to ask. Each row costs a question; you have 31.
 *
 * @param d how many measurements a patient has
 * @param known patients that you found in a public table, should you want any
 */
export function questions(d: number, known: Patient[]): Patient[] {
  console.log(`${d} weights and a bias: ${d + 1} unknowns. ${known.length} patients lie in the public table.`)
  // Yours: 31 rows whose answers settle all of them. First try: the average patient, all zeros.
  throw new Error(
    `questions is not written yet. First try: return [new Float32Array(${d})] and look at what one answer says about the bias.`,
  )
}

/**
 * The weights, from the answers.
 *
 * @param asked the rows that you asked about
 * @param answers P(malignant) of each
 */
export function solve(asked: Patient[], answers: number[]): Copy {
  // Yours: turn each probability into what weights · x + bias was, and solve for the unknowns.
  throw new Error(`solve is not written yet: ${asked.length} answers came back, the first is ${answers[0]}.`)
}
