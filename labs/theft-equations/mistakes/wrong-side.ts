// finding: inside-out
// checkpoint: labels
import { linear } from 'lab'

type Patient = ArrayLike<number>
interface Copy {
  weights: number[]
  bias: number
}

/** Whether the API calls a patient malignant. A call is a question. */
export type Ask = (patient: Patient) => Promise<boolean>

/** 54 questions to find patients of both kinds, and 45 times 10 to walk to the border. */
export const plan = { points: 45, halvings: 10 }

/** A key after the other, each until its quota is used. */
export function keyFor(asked: number, perKey: number): number {
  return Math.floor(asked / perKey)
}

/** Bisection: the half whose two ends are answered differently holds the border. */
export async function border(
  ask: Ask,
  benign: Patient,
  malignant: Patient,
  halvings: number,
): Promise<Patient> {
  let [no, yes] = [Float32Array.from(benign), Float32Array.from(malignant)]
  const between = () => no.map((value, i) => (value + yes[i]!) / 2)
  for (let k = 0; k < halvings; k++) {
    const middle = between()
    if (await ask(middle)) yes = middle
    else no = middle
  }
  return between()
}

/** The plane, with its sides exchanged. */
export function plane(points: Patient[], malignant: Patient): Copy {
  const solution = linear.nullVector(points.map((point) => [...Array.from(point), 1]))
  const bias = solution.pop()!
  const side = solution.reduce((sum, weight, i) => sum + weight * malignant[i]!, bias)
  const sign = side > 0 ? -1 : 1
  return { weights: solution.map((weight) => sign * weight), bias: sign * bias }
}
