import { stats, type Tensor, type Victim } from 'lab'

/** What is promised for one digit: no change of L2 length below `radius` turns `class`. */
export interface Certificate {
  /** The class, or -1 when the votes prove nothing. */
  class: number
  /** How many of the n copies voted for it. */
  votes: number
  /** In the units of the pixels; 0 when abstaining. */
  radius: number
}

/** Deviation of the noise, copies that choose the class, copies that are counted, chance of error. */
export interface Settings {
  sigma: number
  n0: number
  n: number
  alpha: number
}

/**
 * Certify (Cohen et al. 2019): what n noisy copies of each digit prove about the majority of all noisy copies.
 *
 * @param victim `await victim.sampleUnderNoise(x, sigma, n)`: for each digit, the votes of n fresh copies by class
 * @param x digits, (N, 28, 28, 1)
 * @returns one certificate a digit, in order
 */
export async function certify(
  victim: Victim,
  x: Tensor,
  { sigma, n0, n, alpha }: Settings,
): Promise<Certificate[]> {
  // A few copies choose the class. They are not counted again.
  const first = await victim.sampleUnderNoise(x, sigma, n0)
  console.log(`votes of the first ${n0} copies of the first digit, by class: ${first[0]}`)

  // Yours: choose a class for each digit, count its votes on n fresh copies, bound its true share from below
  // with stats.betaQuantile, and turn that bound into a radius with stats.normalQuantile.
  throw new Error(
    `certify is not written yet. You hold ${n0} votes for each of ${first.length} digits, may ask for ${n} more, and may be wrong with chance ${alpha}; Φ⁻¹(0.9) is ${stats.normalQuantile(0.9).toFixed(3)}. First try: which class has the most votes for each digit?`,
  )
}
