import { featureCollision } from '../../attacks/poisoning/feature-collision.ts'
import { PerturbError } from '../../core/errors.ts'
import * as tf from '../../core/tf.ts'
import { withChanges } from '../../data/change-list.ts'
import {
  copyRows,
  rowOf,
  rowSize,
  takeRows,
  withoutRows,
  type LabelledRows,
} from '../../data/labelled-rows.ts'
import { deepKnnSuspicion } from '../../defences/sanitation/deep-knn.ts'
import type { Task } from '../../grading/grader.ts'
import { readTest } from '../../grading/readings.ts'
import { givenRows } from '../../grading/retrained.ts'
import { featurePlane } from '../../models/feature-plane.ts'
import { featureModel } from '../../models/features.ts'
import type { Model } from '../../models/model.ts'
import { featureRows, fitVictim } from '../../models/refit.ts'
import { trainingOf } from '../training-rows.ts'
import { defineMethod } from '../method.ts'
import type { Workshop } from '../workshop.ts'

export interface CollideParams {
  /** Its first `values.uploads` rows are the attacker's, and `aim` names the target. */
  task: Task
  /** How many of the uploads become poison. */
  count: number
  epsilon: number
  steps: number
  /** How many nearest pictures deep k-NN asks. */
  neighbours: number
}

/** A victim of some rows: how it reads the target, and how many test pictures it reads rightly. */
export interface CollidedReading {
  /** Probability of the class that the target is to be read as. */
  chance: number
  /** The class that it is read as. */
  read: number
  accuracy: number
}

export interface Collided {
  /** Rows that became poison, and their new pixels. */
  ids: number[]
  values: Float32Array
  /** What they were. */
  bases: Float32Array
  target: Float32Array
  shape: readonly number[]
  classes: readonly string[]
  noun: string
  /** Mean distance to the target in the features that is left, as a share of what it was. */
  left: number
  before: CollidedReading
  after: CollidedReading
  /** What deep k-NN would drop, and how the victim of the rest reads. */
  filter: { caught: number; lost: number; reading: CollidedReading }
  /** Rows of the two classes, in the plane of `featurePlane`: x, y one after another. */
  plane: Record<'base' | 'own' | 'from' | 'to' | 'target', Float64Array>
}

/** Pulls the attacker's uploads onto the target in the victim's features, fits the victim to them, and looks at both. */
export const method = defineMethod<CollideParams, Collided>({
  name: 'collide',
  runsOn: ['engine'],
  async run({ task, count, epsilon, steps, neighbours }, { signal, progress }, workshop) {
    const { aim } = task
    if (!aim) throw new PerturbError('bad-input', 'collide: this checkpoint has no target picture')
    const dataset = await workshop.dataset(task.dataset)
    const rows = givenRows(task, dataset)
    const baseClass = Number(task.values.target)
    const target = dataset[aim.split].pixels([aim.id])
    const uploads = takeRows(
      rows,
      Array.from({ length: Math.min(count, Number(task.values.uploads)) }, (_, i) => i),
    )
    const features = await featureModel(await workshop.model(task.victim.model))
    // The collision is most of the work; what is left are the victims.
    const [most, all] = [0.7, 1]
    // What goes back are two lists, even where they are equal: each is handed over with its memory.
    let poisons = copyRows(uploads)
    try {
      const options = { share: 1, epsilon, steps, stepSize: stepFor(epsilon, rowSize(rows)), pull: 0 }
      const onStep = (done: number, total: number) => progress((most * done) / total, all)
      if (uploads.ids.length > 0 && epsilon > 0)
        ({ data: poisons } = await featureCollision(uploads, { features, target, baseClass }, options, {
          seed: trainingOf(task).seed,
          signal,
          onStep,
        }))
    } finally {
      features.dispose()
    }
    const changes = { ids: [...poisons.ids], labels: [...poisons.labels], values: poisons.x }
    const changed = withChanges(rows, changes)
    const read = async (on: LabelledRows, at: number) => {
      const result = await readingOf(workshop, task, on, target, signal)
      progress(at, all)
      return result
    }
    const before = await read(rows, 0.8)
    const after = await read(changed, 0.9)
    const seen = await seenBy(workshop, task, changed)
    const flagged = (
      await deepKnnSuspicion({ ...seen, size: seen.shape[0]! }, { neighbours }, { seed: 0, signal })
    ).flaggedIds
    const poisoned = new Set(poisons.ids)
    const caught = flagged.filter((id) => poisoned.has(id)).length
    const reading = await read(withoutRows(changed, flagged), 1)
    const [from, to, goal] = [
      await seenBy(workshop, task, uploads),
      await seenBy(workshop, task, poisons),
      await seenBy(workshop, task, rowOfTarget(rows, target)),
    ]
    return {
      ids: changes.ids,
      values: poisons.x,
      bases: uploads.x,
      target,
      shape: rows.shape,
      classes: dataset.classes,
      noun: dataset.noun,
      left: meanDistance(to, goal) / meanDistance(from, goal),
      before,
      after,
      filter: { caught, lost: (flagged.length - caught) / (rows.ids.length - poisoned.size), reading },
      plane: planeOf(seen, { from, to, goal, poisoned, baseClass, ownClass: Number(task.values.truth) }),
    }
  },
  transfer: ({ values, bases }) => [values.buffer as ArrayBuffer, bases.buffer as ArrayBuffer],
})

/** A first step of a fifth of the budget in each value: its length grows with the picture. */
const stepFor = (epsilon: number, values: number) => 0.2 * epsilon * Math.sqrt(values)

async function readingOf(
  workshop: Workshop,
  task: Task,
  rows: LabelledRows,
  target: Float32Array,
  signal: AbortSignal,
): Promise<CollidedReading> {
  const dataset = await workshop.dataset(task.dataset)
  const training = trainingOf(task)
  const { weights } = await fitVictim(await workshop.weights(task.victim.model), rows, training, { signal })
  const model = await workshop.modelWithWeights(task.victim.model, weights)
  try {
    const scores = await chancesOf(model, target, rows.shape)
    const { accuracy } = await readTest(model, dataset, training)
    return {
      chance: scores[Number(task.values.target)]!,
      read: scores.indexOf(Math.max(...scores)),
      accuracy,
    }
  } finally {
    model.dispose()
  }
}

async function chancesOf(model: Model, pixels: Float32Array, shape: readonly number[]): Promise<number[]> {
  const x = tf.tensor(pixels, [1, ...shape])
  try {
    const logits = await model.logitsArray(x)
    const top = Math.max(...logits)
    const parts = Array.from(logits, (logit) => Math.exp(logit - top))
    const sum = parts.reduce((total, part) => total + part, 0)
    return parts.map((part) => part / sum)
  } finally {
    x.dispose()
  }
}

async function seenBy(workshop: Workshop, task: Task, rows: LabelledRows): Promise<LabelledRows> {
  if (rows.ids.length === 0) return rows
  const { architecture, weights } = await workshop.weights(task.victim.model)
  return featureRows(architecture, weights, rows)
}

const rowOfTarget = (rows: LabelledRows, x: Float32Array): LabelledRows => ({
  ...rows,
  ids: Int32Array.of(0),
  labels: Int32Array.of(0),
  x,
})

function meanDistance(rows: LabelledRows, goal: LabelledRows): number {
  const size = rowSize(rows)
  const count = rows.ids.length
  let sum = 0
  for (let i = 0; i < count; i++) {
    let square = 0
    for (let k = 0; k < size; k++) square += (rows.x[i * size + k]! - goal.x[k]!) ** 2
    sum += Math.sqrt(square)
  }
  return count === 0 ? 0 : sum / count
}

function planeOf(
  seen: LabelledRows,
  places: {
    from: LabelledRows
    to: LabelledRows
    goal: LabelledRows
    poisoned: ReadonlySet<number>
    baseClass: number
    ownClass: number
  },
): Collided['plane'] {
  const { from, to, goal, poisoned, baseClass, ownClass } = places
  const honest = (label: number) =>
    Array.from(seen.ids.keys())
      .filter((place) => seen.labels[place] === label && !poisoned.has(seen.ids[place]!))
      .map((place) => rowOf(seen, place))
  const [base, own] = [honest(baseClass), honest(ownClass)]
  const plane = featurePlane(base, own)
  const flat = (list: readonly Float32Array[]) => Float64Array.from(list.flatMap((row) => plane.place(row)))
  const rowsOf = (rows: LabelledRows) => Array.from(rows.ids.keys(), (place) => rowOf(rows, place))
  return {
    base: flat(base),
    own: flat(own),
    from: flat(rowsOf(from)),
    to: flat(rowsOf(to)),
    target: flat(rowsOf(goal)),
  }
}
