// finding: saturated
// checkpoint: exact
import { linear } from 'lab'

export type Patient = ArrayLike<number>
export interface Copy {
  weights: number[]
  bias: number
}

/** Real patients look innocent in a log. */
export function questions(d: number, known: Patient[]): Patient[] {
  return known.slice(0, d + 1)
}

export function solve(asked: Patient[], answers: number[]): Copy {
  const odds = answers.map((p) => {
    const inside = Math.min(1 - 1e-7, Math.max(1e-30, p))
    return Math.log(inside / (1 - inside))
  })
  const solution = linear.solve(
    asked.map((row) => [...Array.from(row), 1]),
    odds,
  )
  const bias = solution.pop()!
  return { weights: solution, bias }
}
