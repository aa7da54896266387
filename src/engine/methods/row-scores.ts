import { rowsOfSplit } from '../../data/change-list.ts'
import type { Feature } from '../../data/data-set.ts'
import { nearestRows, shareAmongNeighbours } from '../../data/nearest-rows.ts'
import { readRows, readTest, type Reading } from '../../grading/readings.ts'
import { givenRows } from '../../grading/retrained.ts'
import type { Task } from '../../grading/grader.ts'
import { fitVictim } from '../../models/refit.ts'
import { readCanaryRows, trainingOf } from '../training-rows.ts'
import { defineMethod } from '../method.ts'

export interface RowScoresParams {
  task: Task
}

/** A task's rows as they are given, and what can be told of each without knowing the truth. */
export interface RowScores {
  ids: Int32Array
  labels: Int32Array
  /** Row-major, in [0, 1]. */
  values: Float32Array
  features: readonly Feature[]
  classes: readonly string[]
  noun: string
  isSimulated: boolean
  /** Probability of the watched class, from the victim trained on these rows. */
  scores: Float32Array
  /** Share of the nearest ten rows that are labelled with the watched class. */
  neighbours: Float32Array
  /** The same as `scores`, from a victim trained on the audited rows alone; absent without them. */
  audited?: Float32Array
  /** What the victim that was trained on these rows reads. */
  reading: Reading
  /** The canaries' true labels, and how that victim reads them; absent without any. */
  canaries?: { truth: Int32Array; read: Int32Array }
}

const neighbourCount = 10

/** Trains the victim of a task on its rows, and scores each of them. */
export const method = defineMethod<RowScoresParams, RowScores>({
  name: 'row-scores',
  runsOn: ['engine'],
  async run({ task }, { signal, progress }, workshop) {
    const dataset = await workshop.dataset(task.dataset)
    const training = trainingOf(task)
    const shipped = await workshop.weights(task.victim.model)
    const rows = givenRows(task, dataset)
    const trained = async (on: typeof rows, from: number, to: number) => {
      const onStep = (done: number, total: number) => progress(from + ((to - from) * done) / total, 1)
      const { weights } = await fitVictim(shipped, on, training, { signal, onStep })
      const model = await workshop.modelWithWeights(task.victim.model, weights)
      try {
        return {
          reading: await readTest(model, dataset, training),
          scores: await readRows(model, rows, training.positive),
          canaries: await readCanaryRows(task, dataset, model),
        }
      } finally {
        model.dispose()
      }
    }
    const parts = task.audited ? 0.5 : 1
    const { reading, scores, canaries } = await trained(rows, 0, parts)
    const audited =
      task.audited && (await trained(rowsOfSplit(dataset, task.split, task.audited), parts, 1)).scores
    const { labels, ids, x } = rows
    return {
      ids,
      labels,
      values: x,
      features: dataset.features ?? [],
      classes: dataset.classes,
      noun: dataset.noun,
      isSimulated: dataset.isSimulated ?? false,
      scores,
      neighbours: shareAmongNeighbours(nearestRows(rows, neighbourCount), labels, training.positive),
      ...(audited ? { audited } : {}),
      ...(canaries
        ? { canaries: { truth: rowsOfSplit(dataset, task.split, task.canaries!).labels, read: canaries } }
        : {}),
      reading,
    }
  },
})
