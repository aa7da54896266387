import { PerturbError } from '../core/errors.ts'
import * as tf from '../core/tf.ts'
import { rowsOfSplit } from '../data/change-list.ts'
import type { DataSet } from '../data/data-set.ts'
import type { Task } from '../grading/grader.ts'
import type { Model, Weight } from '../models/model.ts'

/** How a task's victim is trained. Throws `bad-input` for a task whose victim is a shipped one. */
export function trainingOf({ training }: Task): NonNullable<Task['training']> {
  if (training) return training
  throw new PerturbError(
    'bad-input',
    'the victim of this checkpoint is shipped; there is nothing to train it on',
  )
}

/** How a victim reads the task's canaries, one class each; nothing where the task names none. */
export async function readCanaryRows(
  { canaries, split }: Task,
  dataset: DataSet,
  model: Model,
): Promise<Int32Array | undefined> {
  if (!canaries) return undefined
  const { x: values, shape, ids } = rowsOfSplit(dataset, split, canaries)
  const x = tf.tensor(values, [ids.length, ...shape])
  try {
    return Int32Array.from(await model.predict(x))
  } finally {
    x.dispose()
  }
}

/** The last victims that were trained before anybody asked, by all that they depend on: a program is run again and again. */
const kept = new Map<string, Promise<Weight[]>>()
const mostKept = 2

/** The weights of a task's victim, trained once a backend. */
export async function trainedBefore(
  { victim, dataset, split, ids, labels, tampered, trainedOn, training }: Task,
  train: () => Promise<Weight[]>,
): Promise<Weight[]> {
  const rows = trainedOn ?? [split, ids, labels, tampered]
  const key = JSON.stringify([tf.getBackend(), victim.model, dataset, training, rows])
  const weights = kept.get(key) ?? train()
  kept.delete(key)
  kept.set(key, weights)
  if (kept.size > mostKept) kept.delete(kept.keys().next().value!)
  try {
    return await weights
  } catch (error) {
    kept.delete(key)
    throw error
  }
}
