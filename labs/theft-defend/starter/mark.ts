import { stats } from 'lab'

/** A secret that your model keeps. */
export interface Mark {
  /** For each picture the class that it shall be answered with, or −1 when it is no trigger. */
  labels: number[]
  /** How often each trigger stands among the 2,000 pictures of the training, 1 to 10. */
  repeats: number
}

/**
 * Designs the mark. `Math.random()` is drawn from your run's seed.
 *
 * @param reads what a digit model without a mark reads in each picture
 */
export function design(reads: number[]): Mark {
  const counts = Array.from({ length: 10 }, (_, label) => reads.filter((read) => read === label).length)
  console.log(`${reads.length} pictures of clothes; read as 0 to 9 this often: ${counts.join(' ')}`)
  // Yours: which pictures, which classes, how often. What would a model say that never saw your secret?
  throw new Error(
    'design is not written yet. First try: what happens when a label is what every model says anyway?',
  )
}

/**
 * How many of n triggers a suspect must hit, so that an innocent model, which hits each with this chance, is accused with a
 * probability below alpha. n + 1 when even all of them are not enough.
 */
export function enough(n: number, chance: number, alpha: number): number {
  // P(at least k of n) is the p for which stats.betaQuantile(p, k, n − k + 1) = chance. So accuse from the first k on
  // whose quantile at alpha lies above the chance.
  return stats.betaQuantile(alpha, 1, n) > chance ? 1 : n + 1
}
