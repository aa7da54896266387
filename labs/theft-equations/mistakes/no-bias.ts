// finding: no-bias
// checkpoint: exact
/** A patient, as the API takes one: 30 standardised measurements. 0 is the average patient's, 1 one deviation above it. */
export type Patient = ArrayLike<number>
/** P(malignant) = 1 / (1 + e^−(weights · x + bias)). */
export interface Copy {
  weights: number[]
  bias: number
}

/** The average patient, and thirty who differ from it in one measurement each. */
export function questions(d: number, _known: Patient[]): Patient[] {
  return Array.from({ length: d + 1 }, (_, row) =>
    Float32Array.from({ length: d }, (_, i) => (i === row - 1 ? 1 : 0)),
  )
}

/** The weights are what matters. */
export function solve(asked: Patient[], answers: number[]): Copy {
  const odds = answers.map((p) => {
    // What was rounded to 0 or 1 was at most half a step away.
    const inside = Math.min(0.9975, Math.max(0.0025, p))
    return Math.log(inside / (1 - inside))
  })
  const [bias = 0, ...rest] = odds
  const length = (row: number) => asked[row]![row - 1]!
  return { weights: rest.map((value, i) => (value - bias) / length(i + 1)), bias: 0 }
}
