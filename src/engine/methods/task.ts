import type { Task } from '../../grading/grader.ts'
import { taskOf, type Earlier } from '../../grading/referee.ts'
import { defineMethod } from '../method.ts'

export interface TaskParams {
  lab: string
  checkpoint: string
  seed: number
  /** Artefacts handed in for other checkpoints, by checkpoint id. */
  earlier?: Earlier
}

/** The images and figures of a checkpoint for this learner's seed. */
export const method = defineMethod<TaskParams, Task>({
  name: 'task',
  runsOn: ['referee'],
  run: async ({ lab, ...request }, _, workshop) => taskOf(await workshop.lab(lab), request, workshop),
})
