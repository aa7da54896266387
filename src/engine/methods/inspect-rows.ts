import type { PoisonList } from '../../attacks/poison-list.ts'
import { rowsOfSplit } from '../../data/change-list.ts'
import { principalComponents, projected } from '../../core/eigen.ts'
import { classFeatures } from '../../defences/sanitation/features.ts'
import type { RowFilterName } from '../../defences/sanitation/filter-names.ts'
import { filterRows } from '../../defences/sanitation/row-filters.ts'
import type { Task } from '../../grading/grader.ts'
import { featuresOf } from '../../models/features.ts'
import { defineMethod } from '../method.ts'
import { fittedVictim } from '../fitted-victim.ts'
import { trainingOf } from '../training-rows.ts'

export interface InspectRowsParams {
  task: Task
  /** What the learner changes in the rows first; nothing when left out. */
  changes?: PoisonList
  /** Filters to run on the trained victim. */
  filters: readonly RowFilterName[]
}

/** Training rows as the model sees them that was trained on them. */
export interface InspectedRows {
  ids: Int32Array
  labels: Int32Array
  /** Row-major pixels, and the shape of one row. */
  x: Float32Array
  shape: readonly number[]
  classes: readonly string[]
  noun: string
  /** Two numbers a row: its features in the two directions in which its own class varies most. */
  plane: Float64Array
  /** Of each class: the singular values of its centred features, largest first. */
  spectra: Float64Array[]
  /** By filter, in the order of the rows: the higher, the more suspicious. */
  scores: Partial<Record<RowFilterName, Float64Array>>
  /** By filter: the ids that its own rule picks. */
  flagged: Partial<Record<RowFilterName, Int32Array>>
}

/** Trains the victim of a task on its rows, and looks at what it made of them. */
export const method = defineMethod<InspectRowsParams, InspectedRows>({
  name: 'inspect-rows',
  runsOn: ['engine'],
  async run({ task, changes, filters }, { signal, progress }, workshop) {
    const dataset = await workshop.dataset(task.dataset)
    const parts = 1 + filters.length
    const part = (index: number) => (done: number, total: number) => progress(index + done / total, parts)
    const { rows, weights } = await fittedVictim(workshop, task, changes, { signal, onStep: part(0) })
    const trusted = task.audited && rowsOfSplit(dataset, task.split, task.audited)
    const model = await workshop.modelWithWeights(task.victim.model, weights)
    try {
      const scores: InspectedRows['scores'] = {}
      const flagged: InspectedRows['flagged'] = {}
      for (const [i, name] of filters.entries()) {
        const found = await filterRows(
          name,
          { model, rows, trusted },
          { seed: trainingOf(task).seed, signal, onStep: part(1 + i) },
        )
        scores[name] = found.scores
        flagged[name] = found.flaggedIds
      }
      const { ids, labels, x, shape } = rows
      return {
        ids,
        labels,
        x,
        shape,
        classes: dataset.classes,
        noun: dataset.noun,
        ...classPlanes(await featuresOf(model, rows)),
        scores,
        flagged,
      }
    } finally {
      model.dispose()
    }
  },
})

/** Each class in the plane of its own two widest directions; a class of one row lies at its middle. */
export function classPlanes(features: Parameters<typeof classFeatures>[0]): {
  plane: Float64Array
  spectra: Float64Array[]
} {
  const plane = new Float64Array(2 * features.ids.length)
  const spectra = Array.from({ length: features.numClasses }, (_, label) => {
    const { places, x } = classFeatures(features, label)
    if (places.length < 2) return new Float64Array(0)
    const components = principalComponents(x, features.size)
    const wide = Math.min(2, features.size)
    const flat = projected(x, { ...components, directions: components.directions.slice(0, 2) })
    for (const [i, place] of places.entries())
      for (let c = 0; c < wide; c++) plane[2 * place + c] = flat[i * wide + c]!
    return components.singularValues
  })
  return { plane, spectra }
}
