import { withChanges, type ChangeList } from '../../data/change-list.ts'
import { readTest, type Reading } from '../../grading/readings.ts'
import { givenRows } from '../../grading/retrained.ts'
import type { Task } from '../../grading/grader.ts'
import type { HistoryPoint } from '../../models/train.ts'
import { trainOnRows } from '../../models/train-on-rows.ts'
import { defineMethod } from '../method.ts'
import { trainingOf } from '../training-rows.ts'

export interface TrainOnRowsParams {
  task: Task
  changes: ChangeList
}

export interface TrainedOnRows {
  reading: Reading
  /** step and loss; at readings also recall, accuracy, and class0, class1 … (0 to 1). */
  history: HistoryPoint[]
}

/** Readings of a live curve. */
const readings = 8

/** Trains a task's victim on its rows with these changes; progress carries the live curve's figures. */
export const method = defineMethod<TrainOnRowsParams, TrainedOnRows>({
  name: 'train-on-rows',
  runsOn: ['engine'],
  async run({ task, changes }, { signal, progress }, workshop) {
    const dataset = await workshop.dataset(task.dataset)
    const training = trainingOf(task)
    const { architecture } = await workshop.weights(task.victim.model)
    const rows = withChanges(givenRows(task, dataset), changes)
    let last: Reading | undefined
    const { history } = await trainOnRows(
      architecture,
      rows,
      {
        ...training,
        evaluateEvery: Math.ceil(training.steps / readings),
        async evaluate(model) {
          const { recall, accuracy, byClass } = (last = await readTest(model, dataset, training))
          return {
            recall,
            accuracy,
            ...Object.fromEntries(byClass.map((share, label) => [`class${label}`, share])),
          }
        },
      },
      { signal, onStep: progress },
    )
    return { reading: last!, history }
  },
})
