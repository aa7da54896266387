/**
 * What the search shall bring down when it is not enough to be anybody else: the gate is to say one name.
 *
 * @param scores the gate's probabilities, one for each name
 * @param target the place of the name that you want
 * @returns 0 or below when the gate says that name, and the less, the nearer it is to saying it
 */
export function wish(scores: number[], target: number): number {
  console.log(`the name you want has ${scores[target]} now, the strongest ${Math.max(...scores)}`)

  // Yours: a number that falls as the target gains on the strongest of the others.
  throw new Error(
    'wish is not written yet. Probabilities near 0 differ by factors. First try: Math.log(scores[target]), and what it has to overtake.',
  )
}
