import { PerturbError } from '../core/errors.ts'
import { withPoison } from '../attacks/poison-list.ts'
import type { Trigger } from '../attacks/trigger.ts'
import { rowsOfSplit } from '../data/change-list.ts'
import type { DataSet } from '../data/data-set.ts'
import { classCounts, type LabelledRows } from '../data/labelled-rows.ts'
import type { Model } from '../models/model.ts'
import { fitVictim } from '../models/refit.ts'
import type { Task, Trusted } from './grader.ts'
import { readRows, readTest, type Reading } from './readings.ts'

/** The task's rows as its program is given them: with the changes that somebody made before. */
export function givenRows(task: Task, dataset: DataSet): LabelledRows {
  const rows = rowsOfSplit(dataset, task.split, task.ids, task.labels)
  return task.tampered ? withPoison(rows, task.tampered) : rows
}

/** The rows that the task's victim is trained on before anybody asks it anything. */
export function victimRows(task: Task, dataset: DataSet): LabelledRows {
  const { trainedOn } = task
  if (!trainedOn) return givenRows(task, dataset)
  const rows = rowsOfSplit(dataset, 'train', trainedOn.ids)
  return trainedOn.changes ? withPoison(rows, trainedOn.changes) : rows
}

/** What a victim reads that was trained on some rows. */
export interface Retrained extends Reading {
  /** How sure it is that each row of the task, dropped ones too, is of the watched class, 0 to 1. */
  scores: Float32Array
}

/** Trains the task's victim on these rows, as the engine would. Throws as `fitVictim` does; the grader disposes the model. */
export async function trainedVictim(task: Task, rows: LabelledRows, trusted: Trusted): Promise<Model> {
  const { victim } = task
  const shipped = await trusted.model(victim.model)
  const { weights } = await fitVictim(
    { architecture: shipped.architecture, weights: await shipped.weights() },
    rows,
    trainingOf(task),
  )
  return trusted.modelWithWeights(victim.model, weights)
}

function trainingOf({ training }: Task): NonNullable<Task['training']> {
  if (!training) throw new PerturbError('bad-input', 'retrained: the task must say how its victim is trained')
  return training
}

/**
 * Trains the task's victim on these rows, reads it on the test split (with the trigger too, where one is given), and frees
 * it. A victim that is left without any row of a class is not trained: it finds nothing, and its scores are all 0.
 */
export async function retrained(
  task: Task,
  rows: LabelledRows,
  trusted: Trusted,
  trigger?: Trigger,
): Promise<Retrained> {
  const training = trainingOf(task)
  const dataset = await trusted.dataset(task.dataset)
  const all = rowsOfSplit(dataset, task.split, task.ids)
  const empty = classCounts(rows).indexOf(0)
  if (empty >= 0) return withoutClass(empty, dataset, all.ids.length)
  const model = await trainedVictim(task, rows, trusted)
  try {
    return {
      ...(await readTest(model, dataset, training, trigger ? { trigger } : {})),
      scores: await readRows(model, all, training.positive),
    }
  } finally {
    model.dispose()
  }
}

/** What never heard of a class never says it; of two classes, everything is the other. */
function withoutClass(empty: number, { test, classes }: DataSet, rows: number): Retrained {
  const others = test.labels.filter((label) => label !== empty).length
  return {
    recall: 0,
    accuracy: others / test.count,
    byClass: classes.map((_, label) => (label === empty ? 0 : 1)),
    scores: new Float32Array(rows),
  }
}

const known = new WeakMap<DataSet, Map<string, Promise<Retrained>>>()

/**
 * What the victim reads without any of the learner's work: on the true rows (`true`), on those that the program is given
 * (`given`), or on the audited rows alone (`audited`). It depends on the task alone, so the last few are kept.
 */
export async function baseline(
  task: Task,
  of: 'true' | 'given' | 'audited',
  trusted: Trusted,
): Promise<Retrained> {
  const dataset = await trusted.dataset(task.dataset)
  const byTask = known.get(dataset) ?? new Map<string, Promise<Retrained>>()
  known.set(dataset, byTask)
  const which = of === 'given' ? task.tampered : of === 'audited' ? task.audited : undefined
  const key = JSON.stringify([task.victim.model, task.split, task.training, task.ids, which])
  const reading = byTask.get(key) ?? retrained(task, rowsFor(task, of, dataset), trusted)
  byTask.delete(key)
  byTask.set(key, reading)
  if (byTask.size > 6) byTask.delete(byTask.keys().next().value!)
  try {
    return await reading
  } catch (error) {
    byTask.delete(key)
    throw error
  }
}

function rowsFor(task: Task, of: 'true' | 'given' | 'audited', dataset: DataSet): LabelledRows {
  if (of === 'given') return givenRows(task, dataset)
  if (of === 'audited') return rowsOfSplit(dataset, task.split, task.audited ?? [])
  return rowsOfSplit(dataset, task.split, task.ids)
}
