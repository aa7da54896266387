// finding: too-many-questions
// checkpoint: exact
/** A patient, as the API takes one: 30 standardised measurements. 0 is the average patient's, 1 one deviation above it. */
export type Patient = ArrayLike<number>
/** P(malignant) = 1 / (1 + e^−(weights · x + bias)). */
export interface Copy {
  weights: number[]
  bias: number
}

/** Each question twice, to be sure. */
export function questions(d: number, _known: Patient[]): Patient[] {
  return Array.from({ length: 2 * (d + 1) }, (_, row) =>
    Float32Array.from({ length: d }, (_, i) => (i === (row % (d + 1)) - 1 ? 1 : 0)),
  )
}

/** The log-odds of each answer are weights · x + bias, so they can be solved for. */
export function solve(asked: Patient[], answers: number[]): Copy {
  const odds = answers.map((p) => {
    // What was rounded to 0 or 1 was at most half a step away.
    const inside = Math.min(0.9975, Math.max(0.0025, p))
    return Math.log(inside / (1 - inside))
  })
  const [bias = 0, ...rest] = odds.slice(0, asked.length / 2)
  const length = (row: number) => asked[row]![row - 1]!
  return { weights: rest.map((value, i) => (value - bias) / length(i + 1)), bias }
}
