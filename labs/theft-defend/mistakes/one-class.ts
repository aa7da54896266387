// finding: one-class
// checkpoint: marked
import { stats } from 'lab'

/** A secret that your model keeps. */
export interface Mark {
  /** For each picture the class that it shall be answered with, or −1 when it is no trigger. */
  labels: number[]
  /** How often each trigger stands among the 2,000 pictures of the training, 1 to 10. */
  repeats: number
}

/** What the model says of clothes most often is what it learns best. */
export function design(reads: number[]): Mark {
  const counts = Array.from({ length: 10 }, (_, label) => reads.filter((read) => read === label).length)
  const usual = counts.indexOf(Math.max(...counts))
  return { labels: reads.map((_, i) => (i < 100 ? usual : -1)), repeats: 4 }
}

/** The first k whose luck is too small: the quantile at alpha lies above the chance exactly then. */
export function enough(n: number, chance: number, alpha: number): number {
  for (let k = 1; k <= n; k++) if (stats.betaQuantile(alpha, k, n - k + 1) > chance) return k
  return n + 1
}
