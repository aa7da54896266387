import { withPoison, type PoisonList } from '../../attacks/poison-list.ts'
import { readImages, readTest, type Reading } from '../../grading/readings.ts'
import { givenRows } from '../../grading/retrained.ts'
import type { Task } from '../../grading/grader.ts'
import type { HistoryPoint } from '../../models/train.ts'
import { fitVictim } from '../../models/refit.ts'
import { defineMethod } from '../method.ts'
import { readCanaryRows, trainingOf } from '../training-rows.ts'

export interface TrainOnRowsParams {
  task: Task
  changes: PoisonList
  /** Test images to read at the end, as they are and with the trigger. */
  show?: number[]
}

export interface TrainedOnRows {
  reading: Reading
  /** Classes of the images of `show`, in order. */
  shown?: { plain: Int32Array; triggered: Int32Array }
  /** step and loss; at readings also recall, accuracy, success (with a trigger), and class0, class1 … (0 to 1). */
  history: HistoryPoint[]
  /** How the new victim reads the task's canaries; absent without any. */
  canaries?: Int32Array
}

/** Readings of a live curve, and the test images that each takes: a picture costs more than a table's row. */
const readings = 8
const imagesRead = 400

const figuresOf = ({ byClass, ...figures }: Reading): Record<string, number> => ({
  ...figures,
  ...Object.fromEntries(byClass.map((share, label) => [`class${label}`, share])),
})

/** Trains a task's victim on its rows with these changes; progress carries the live curve's figures. */
export const method = defineMethod<TrainOnRowsParams, TrainedOnRows>({
  name: 'train-on-rows',
  runsOn: ['engine'],
  async run({ task, changes, show }, { signal, progress }, workshop) {
    const dataset = await workshop.dataset(task.dataset)
    const training = trainingOf(task)
    const shipped = await workshop.weights(task.victim.model)
    const rows = withPoison(givenRows(task, dataset), changes)
    // Whoever repairs has none of their own: then it is the one that was planted before.
    const trigger = changes.trigger ?? task.tampered?.trigger
    const triggered = trigger ? { trigger } : {}
    const count = dataset.features ? dataset.test.count : Math.min(imagesRead, dataset.test.count)
    const { weights, history } = await fitVictim(
      shipped,
      rows,
      {
        ...training,
        evaluateEvery: Math.ceil(training.steps / readings),
        async evaluate(model) {
          return figuresOf(await readTest(model, dataset, training, { ...triggered, count }))
        },
      },
      { signal, onStep: progress },
    )
    const model = await workshop.modelWithWeights(task.victim.model, weights)
    try {
      const reading = await readTest(model, dataset, training, triggered)
      const canaries = await readCanaryRows(task, dataset, model)
      const before = history.slice(0, -1)
      return {
        reading,
        history: [...before, { ...history.at(-1)!, ...figuresOf(reading) }],
        ...(canaries ? { canaries } : {}),
        ...(show && trigger
          ? {
              shown: {
                plain: await readImages(model, dataset.test, dataset.shape, show),
                triggered: await readImages(model, dataset.test, dataset.shape, show, trigger),
              },
            }
          : {}),
      }
    } finally {
      model.dispose()
    }
  },
})
