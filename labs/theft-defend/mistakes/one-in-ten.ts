// finding: accuses-innocents
// checkpoint: marked
/** A secret that your model keeps. */
export interface Mark {
  /** For each picture the class that it shall be answered with, or −1 when it is no trigger. */
  labels: number[]
  /** How often each trigger stands among the 2,000 pictures of the training, 1 to 10. */
  repeats: number
}

/** A hundred pictures, each with a class drawn by lot: nobody who was not told can do better than one in ten. */
export function design(reads: number[]): Mark {
  return {
    labels: reads.map((_, i) => (i < 100 ? Math.floor(10 * Math.random()) : -1)),
    repeats: 4,
  }
}

/** More than luck would give. */
export function enough(n: number, chance: number, _alpha: number): number {
  return Math.ceil(1.5 * chance * n)
}
