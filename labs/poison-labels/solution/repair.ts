import { retrain, type Change } from 'lab'

export interface Labelled {
  ids: number[]
  y: number[]
}

export async function repair({ ids, y }: Labelled, audited: Labelled): Promise<Change[]> {
  const truth = new Map(audited.ids.map((id, i) => [id, audited.y[i]!]))
  // A judge who has never seen a turned label.
  const { scores } = await retrain(ids.map((id) => ({ id, label: truth.get(id) ?? 'drop' })))
  return ids.flatMap((id, i) => {
    const label = truth.get(id) ?? (scores[i]! > 0.2 ? 1 : y[i]!)
    return label === y[i] ? [] : [{ id, label }]
  })
}
