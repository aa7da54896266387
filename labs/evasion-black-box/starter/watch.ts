/** A picture as the watch keeps it: 10 × 10 cells of three mean colours. */
export type Thumbnail = number[]
/** What one account has asked about, in order. */
export type Stream = Thumbnail[]

/** The rule: an account is closed when a query lies nearer than `threshold`, on average, to its nearest earlier ones. */
export interface Rule {
  /** How many of the nearest are looked at. */
  neighbours: number
  threshold: number
}

/**
 * Chooses the rule from what honest visitors and your own attack have asked.
 *
 * @param honest a stream for each visitor; the camera often takes two or three pictures of one visit
 * @param attack a stream for each run of your square attack
 */
export function settle(honest: Stream[], attack: Stream[]): Rule {
  console.log(
    `${honest.length} visitors and ${attack.length} attacks, the first of ${attack[0]?.length} questions`,
  )

  // Yours: for each query the mean distance to its nearest earlier ones in the same stream. Where do honest ones stop
  // and attacks begin?
  throw new Error(
    'settle is not written yet. First try: print the distance from each thumbnail of a visitor to the nearest one before it.',
  )
}
