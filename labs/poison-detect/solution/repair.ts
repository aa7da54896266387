import { retrain, suspects, tf, victim, type Tensor } from 'lab'

/** Training rows: ids, pictures, and the digits that they are said to show. */
export interface Rows {
  ids: number[]
  x: Tensor
  y: number[]
}

/** Trains the victim on all rows but these; from then on `victim` is the new one. */
export const trainWithout = (ids: Iterable<number>) =>
  retrain([...ids].map((id) => ({ id, label: 'drop' as const })))

/** What the present victim reads in each picture. */
export async function readAll(x: Tensor): Promise<number[]> {
  return [...(await tf.argMax(await victim.logits(x), 1).data())]
}

export async function repair(rows: Rows, audited: number[]): Promise<number[]> {
  const accused: number[][] = []
  for (const filter of ['activation-clustering', 'strip'] as const)
    accused.push((await suspects(filter)).flagged)

  // A judge who learned from the audited rows alone disputes one row in seven: the planted ones, and many honest ones.
  const certain = new Set(audited)
  await trainWithout(rows.ids.filter((id) => !certain.has(id)))
  const read = await readAll(rows.x)
  const disputed = new Set(rows.ids.filter((_, i) => read[i] !== rows.y[i]))
  accused.push([...disputed])

  // Under which label do the lists hold rows that neither the judge believes nor a model that has never seen them?
  const evidence = new Array<number>(10).fill(0)
  for (const list of accused) {
    if (list.length === 0) continue
    await trainWithout(list)
    const again = await readAll(rows.x)
    const inList = new Set(list)
    rows.ids.forEach((id, i) => {
      if (inList.has(id) && disputed.has(id) && again[i] !== rows.y[i]) evidence[rows.y[i]!]! += 1
    })
  }
  console.log(`Evidence by label: ${evidence.join(' ')}`)
  const poisoned = evidence.indexOf(Math.max(...evidence))
  // A better judge for this one label: it has seen all other labels, and of this one the certain rows alone.
  const suspicious = rows.ids.filter((id, i) => rows.y[i] === poisoned && !certain.has(id))
  await trainWithout(suspicious)
  const last = await readAll(rows.x)
  return rows.ids.filter((id, i) => rows.y[i] === poisoned && !certain.has(id) && last[i] !== poisoned)
}
