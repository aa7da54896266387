/** A face: 40 rows of 40 pixels of 3 colours, every number in [0, 1]. Number (i, j, c) stands at (i * 40 + j) * 3 + c. */
export type Face = Float32Array

/**
 * The square attack: repaint one random square after another, and keep what helps.
 *
 * @param score asks the gate about a face, once a call: the less the better, and at 0 or below you are through
 * @param face the original
 * @param epsilon how far each number may end up from the original
 * @param queries how often you may call score
 * @returns the changed face
 */
export async function square(
  score: (face: Face) => Promise<number>,
  face: Face,
  epsilon: number,
  queries: number,
): Promise<Face> {
  const lowest = await score(face)
  console.log(
    `the gate's lead over the next best name is ${lowest.toFixed(2)}; ${queries - 1} questions left`,
  )

  // Yours: a copy of the best face so far, one random square of it moved by ±2ε in each colour and pulled back to
  // within ε of the original and into [0, 1]; ask; keep it if the score is lower; again, until it is 0 or below.
  throw new Error(
    `square is not written yet. A copy is Float32Array.from(face). First try: move the numbers of one square by ${epsilon}, ask again, and look at the score.`,
  )
}
