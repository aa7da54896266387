// finding: one-end
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

/** Halving, always from the same side. */
export async function border(
  ask: Ask,
  benign: Patient,
  malignant: Patient,
  halvings: number,
): Promise<Patient> {
  const no = Float32Array.from(benign)
  let yes = Float32Array.from(malignant)
  const between = () => no.map((value, i) => (value + yes[i]!) / 2)
  for (let k = 0; k < halvings; k++) {
    const middle = between()
    await ask(middle)
    yes = middle
  }
  return between()
}

/** On the border weights · x + bias is 0: the vector that is nearest to that for all points at once. */
export function plane(points: Patient[], malignant: Patient): Copy {
  const solution = linear.nullVector(points.map((point) => [...Array.from(point), 1]))
  const bias = solution.pop()!
  const side = solution.reduce((sum, weight, i) => sum + weight * malignant[i]!, bias)
  const sign = side > 0 ? 1 : -1
  return { weights: solution.map((weight) => sign * weight), bias: sign * bias }
}
