import { withPoison, type PoisonList } from '../attacks/poison-list.ts'
import type { RunContext } from '../core/run.ts'
import * as tf from '../core/tf.ts'
import type { LabelledRows } from '../data/labelled-rows.ts'
import type { Task } from '../grading/grader.ts'
import { givenRows, victimRows } from '../grading/retrained.ts'
import type { Weight } from '../models/model.ts'
import { fitVictim } from '../models/refit.ts'
import { trainingOf } from './training-rows.ts'
import type { Workshop } from './workshop.ts'

export interface FittedVictim {
  rows: LabelledRows
  weights: Weight[]
}

/** Several widgets look at the same few models, so that the last ones are worth their memory. */
const mostKept = 3

/**
 * The rows that a task's victim is trained on, or its own rows with these changes, and the weights that it gets from them. The last few are kept, as data: they
 * outlive a lost device.
 */
export async function fittedVictim(
  workshop: Workshop,
  task: Task,
  changes: PoisonList | undefined,
  run: Omit<RunContext, 'seed'>,
): Promise<FittedVictim> {
  const kept = workshop.keep('fitted victims', () => new Map<string, FittedVictim>())
  const key = JSON.stringify([tf.getBackend(), task, changes])
  const known = kept.get(key)
  if (known) return known
  const dataset = await workshop.dataset(task.dataset)
  const rows = changes ? withPoison(givenRows(task, dataset), changes) : victimRows(task, dataset)
  const shipped = await workshop.weights(task.victim.model)
  const { weights } = await fitVictim(shipped, rows, trainingOf(task), run)
  kept.set(key, { rows, weights })
  if (kept.size > mostKept) kept.delete(kept.keys().next().value!)
  return { rows, weights }
}
