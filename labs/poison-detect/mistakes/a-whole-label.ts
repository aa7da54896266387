// finding: emptied
// checkpoint: clustered
/** A training row of the delivery. */
export interface Row {
  id: number
  /** The digit that it is said to show. */
  label: number
  /** What the last layer of the model reads of it: 32 numbers. */
  features: number[]
}

/** How far apart two rows lie in the eyes of the model, squared. */
export const apart = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + (value - b[k]!) ** 2, 0)

const middle = (rows: Row[]) =>
  rows[0]!.features.map((_, k) => rows.reduce((sum, { features }) => sum + features[k]!, 0) / rows.length)

/** Splits rows into two clusters, by k-means that begins at the two rows that lie farthest from the middle and each other. */
export function twoMeans(rows: Row[]): [Row[], Row[]] {
  const centre = middle(rows)
  const farthest = (from: number[]) =>
    rows.reduce((best, row) => (apart(row.features, from) > apart(best.features, from) ? row : best))
  const first = farthest(centre)
  let centres = [first.features, farthest(first.features).features]
  let split: [Row[], Row[]] = [rows, []]
  for (let round = 0; round < 30; round++) {
    split = [[], []]
    for (const row of rows)
      split[apart(row.features, centres[0]!) <= apart(row.features, centres[1]!) ? 0 : 1].push(row)
    if (split[0].length === 0 || split[1].length === 0) break
    centres = split.map(middle)
  }
  return split
}

export function findPlanted(rows: Row[]): number[] {
  // Every row that is called what the planted ones are called, or might be.
  return rows.filter(({ label }) => label < 5).map(({ id }) => id)
}
