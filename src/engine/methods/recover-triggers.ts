import { rowsOfSplit } from '../../data/change-list.ts'
import {
  anomalyIndices,
  recoverTrigger,
  type RecoveredTrigger,
} from '../../defences/detection/neural-cleanse.ts'
import type { Task } from '../../grading/grader.ts'
import { defineMethod } from '../method.ts'
import { fittedVictim } from '../fitted-victim.ts'
import { trainingOf } from '../training-rows.ts'

export interface RecoverTriggersParams {
  task: Task
  /** victim: trained on the rows as they are given. control: the same from the same seed on the rows as they were. */
  of: 'victim' | 'control'
  /** Steps for each class. */
  steps: number
}

export interface RecoveredTriggers {
  /** One a class. */
  triggers: RecoveredTrigger[]
  /** Anomaly index of each class, and the classes that it accuses, the most suspicious first. */
  indices: Float64Array
  suspects: number[]
  shape: readonly number[]
  classes: readonly string[]
}

/** Clean pictures that triggers are recovered on. */
const mostPictures = 200

/**
 * Neural Cleanse on a task's victim, with the audited rows as the clean pictures. Progress counts classes times steps;
 * `class` and `l1` come along as each class is done.
 */
export const method = defineMethod<RecoverTriggersParams, RecoveredTriggers>({
  name: 'recover-triggers',
  runsOn: ['engine'],
  async run({ task, of, steps }, { signal, progress }, workshop) {
    const dataset = await workshop.dataset(task.dataset)
    const trained = of === 'victim' ? task : withoutTampering(task)
    const { weights } = await fittedVictim(workshop, trained, undefined, { signal })
    const trusted = task.audited ?? task.ids.filter((id) => !task.tampered?.ids.includes(id))
    const { x } = rowsOfSplit(dataset, task.split, trusted.slice(0, mostPictures))
    const model = await workshop.modelWithWeights(task.victim.model, weights)
    try {
      const { numClasses } = model
      const triggers: RecoveredTrigger[] = []
      for (let target = 0; target < numClasses; target++) {
        const found = await recoverTrigger(
          model,
          x,
          target,
          { steps },
          {
            seed: trainingOf(task).seed,
            signal,
            onStep: (done) => progress(target * steps + done, numClasses * steps),
          },
        )
        triggers.push(found)
        progress((target + 1) * steps, numClasses * steps, { class: target, l1: found.l1 })
      }
      const { indices, suspects } = anomalyIndices(triggers.map(({ l1 }) => l1))
      return { triggers, indices, suspects, shape: dataset.shape, classes: dataset.classes }
    } finally {
      model.dispose()
    }
  },
})

function withoutTampering({ tampered: _, ...task }: Task): Task {
  return task
}
