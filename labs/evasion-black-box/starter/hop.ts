import type { Face } from './square'

/** Shows faces to the gate, a question each, and tells for each whether it was let in under the name you want. */
export type Ask = (faces: Face[]) => Promise<boolean[]>

/**
 * The straight way back: halve the stretch between a face that is let in and the original until you stand at the
 * border, still on the far side.
 *
 * @param ask one question a face
 * @param face the original, which is not let in under that name
 * @param far a face that is
 * @returns the last face on the way that still is
 */
export async function toBorder(ask: Ask, face: Face, far: Face): Promise<Face> {
  const half = face.map((value, i) => (value + far[i]!) / 2)
  const [letIn] = await ask([half])
  console.log(`half way between the two faces the gate says ${letIn ? 'yes' : 'no'}`)

  // Yours: a share of the way that is too near, one that is far enough, and the middle between them, again and again.
  throw new Error(
    'toBorder is not written yet. First try: low = 0 and high = 1, ask about the middle, move one of the two; stop below 0.0003.',
  )
}

/**
 * Which way leads deeper across the border? Ask about random faces close by, and add up the ways that were let in,
 * less those that were not.
 *
 * @param ask one question a face
 * @param at a face at the border
 * @param radius how far from it to ask
 * @param probes how many questions to spend
 * @returns a direction of length 1
 */
export async function direction(ask: Ask, at: Face, radius: number, probes: number): Promise<Face> {
  const [itself] = await ask([at])
  console.log(`${probes} probes; the face itself is ${itself ? 'let in' : 'refused'}`)

  // Yours: probes random steps of length radius, their answers, and the mean of the steps, each times +1 or −1.
  throw new Error(
    `direction is not written yet. First try: a step of ${at.length} random numbers between −1 and 1, scaled to the length ${radius}.`,
  )
}
