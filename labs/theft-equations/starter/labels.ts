import type { Copy, Patient } from './steal'

/** Whether the API calls a patient malignant. A call is a question. */
export type Ask = (patient: Patient) => Promise<boolean>

/** How many points of the border to look for, and how often to halve the way to each. Together below 600 questions. */
export const plan = { points: 0, halvings: 0 }

/** Which of your keys asks next. @param asked questions so far @param perKey how many a key may ask */
export function keyFor(asked: number, perKey: number): number {
  void asked
  void perKey
  return 0
}

/** A point between two patients where the answer changes. `benign` is answered no, `malignant` yes. */
export async function border(
  ask: Ask,
  benign: Patient,
  malignant: Patient,
  halvings: number,
): Promise<Patient> {
  const middle = Float32Array.from(benign, (value, i) => (value + malignant[i]!) / 2)
  console.log(
    `the middle is ${(await ask(middle)) ? 'malignant' : 'benign'}; ${halvings} halvings are planned`,
  )
  throw new Error(
    'border is not written yet. First try: keep the half whose two ends are answered differently.',
  )
}

/** The plane through the border points, with the malignant patient on its positive side. */
export function plane(points: Patient[], malignant: Patient): Copy {
  throw new Error(
    `plane is not written yet; ${points.length} points and one of ${malignant.length} measurements came in.`,
  )
}
