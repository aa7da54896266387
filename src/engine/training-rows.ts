import { PerturbError } from '../core/errors.ts'
import type { Task } from '../grading/grader.ts'

/** How a task's victim is trained. Throws `bad-input` for a task whose victim is a shipped one. */
export function trainingOf({ training }: Task): NonNullable<Task['training']> {
  if (training) return training
  throw new PerturbError(
    'bad-input',
    'the victim of this checkpoint is shipped; there is nothing to train it on',
  )
}
