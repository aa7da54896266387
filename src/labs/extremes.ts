import type { Artefact } from '../grading/artefact.ts'
import type { Task } from '../grading/grader.ts'
import { dropped } from '../data/change-list.ts'
import { honestShoppers } from '../grading/shop.ts'
import type { DataSet } from '../data/data-set.ts'

type Changes = Extract<Artefact, { kind: 'change-list' }>

/** A change list that is well formed and goes all the way. It must be graded in words, and must not pass. */
export interface Extreme {
  name: string
  artefact: Changes
}

/**
 * Budget 0, every row changed, a class without rows, every row or shopper gone: what a learner tries who looks for the
 * edge. A trigger is the one of a list that passes, on every row that is changed.
 */
export function extremeChanges(task: Task, good: Changes, dataset: DataSet): Extreme[] {
  const nothing = { name: 'no change at all', artefact: listOf([], [], good) }
  if (task.shop?.handIn.kind === 'profiles') return [nothing]
  if (task.shop) {
    const everybody = Array.from(
      { length: honestShoppers(task.shop, dataset).length + (task.shop.invented?.profiles.length ?? 0) },
      (_, shopper) => shopper,
    )
    return [nothing, { name: 'every shopper left out', artefact: allAs(everybody, dropped, good) }]
  }
  const { ids, labels } = task
  const classes = dataset.classes.length
  const turned = labels.map((label) => (label + 1) % classes)
  const own = task.training?.positive ?? 0
  const ofClass = ids.filter((_, i) => labels[i] === own)
  return [
    nothing,
    { name: 'every label turned', artefact: listOf(ids, turned, good) },
    { name: 'a class emptied', artefact: allAs(ofClass, (own + 1) % classes, good) },
    ...(task.changes?.drops
      ? [
          { name: 'a class thrown away', artefact: allAs(ofClass, dropped, good) },
          { name: 'every row thrown away', artefact: allAs(ids, dropped, good) },
        ]
      : []),
  ]
}

const allAs = (ids: readonly number[], label: number, good: Changes) =>
  listOf(
    ids,
    ids.map(() => label),
    good,
  )

const listOf = (ids: readonly number[], labels: readonly number[], { trigger }: Changes): Changes => ({
  kind: 'change-list',
  ids: [...ids],
  labels: [...labels],
  ...(trigger ? { trigger, stamped: [...ids] } : {}),
})
