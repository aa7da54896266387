// finding: asked-the-poisoned
// checkpoint: repaired
import { retrain, type Change } from 'lab'

export interface Labelled {
  ids: number[]
  y: number[]
}

/** Asks the model that learned from the turned labels, and turns what it finds most like fraud. */
export async function repair({ ids, y }: Labelled): Promise<Change[]> {
  const { scores } = await retrain()
  return ids
    .map((id, i) => ({ id, label: y[i]!, score: scores[i]! }))
    .filter(({ label }) => label === 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, 200)
    .map(({ id }) => ({ id, label: 1 }))
}
