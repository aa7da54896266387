import { checkTrigger, stamp, type Trigger } from '../attacks/trigger.ts'
import { nextTask } from '../core/platform.ts'
import * as tf from '../core/tf.ts'
import type { DataSet, Split } from '../data/data-set.ts'
import { rowSize, type LabelledRows } from '../data/labelled-rows.ts'
import { recallAtFalseAlarms } from '../metrics/poisoning.ts'
import type { Model } from '../models/model.ts'

/** What is read of a victim that was trained. */
export interface Readings {
  /** The class whose recall is read … */
  positive: number
  /** … when this share of all others may be taken for it, 0 to 1; by its top class when left out. */
  falseAlarms?: number
  /** Whose images are to be read as what once a trigger is on them; those of all other classes when source is left out. */
  backdoor?: { target: number; source?: number }
}

export interface Reading {
  /** Share of the test rows of the positive class that are found, at the fixed share of false alarms if there is one. */
  recall: number
  /** Share of all test rows that get their own class as the top one. */
  accuracy: number
  /** The same, class by class. */
  byClass: number[]
  /** Share of the test images with the trigger on them that are read as the backdoor's target, where there is one. */
  success?: number
}

/** Rows read at once: pictures by the hundred, so that a cancel and other questions have a turn. */
const chunkOf = (shape: readonly number[]): number =>
  Math.max(100, Math.min(2000, Math.floor(200_000 / shape.reduce((product, n) => product * n, 1))))

/** Reads a model on the test split, or on so many of its first rows; with a trigger, what it does to them too. */
export async function readTest(
  model: Model,
  dataset: DataSet,
  { positive, falseAlarms, backdoor }: Readings,
  { trigger, count = dataset.test.count }: { trigger?: Trigger; count?: number } = {},
): Promise<Reading> {
  const { test } = dataset
  const { numClasses } = model
  const scores = new Float32Array(count)
  const right = new Float64Array(numClasses)
  const all = new Float64Array(numClasses)
  const chunk = chunkOf(dataset.shape)
  for (let from = 0; from < count; from += chunk) {
    await nextTask()
    const ids = Int32Array.from({ length: Math.min(chunk, count - from) }, (_, i) => from + i)
    const x = test.images(ids)
    try {
      const logits = await model.logitsArray(x)
      for (const [i, id] of ids.entries()) {
        const row = logits.subarray(i * numClasses, (i + 1) * numClasses)
        const label = test.labels[id]!
        scores[id] = margin(row, positive)
        all[label]! += 1
        if (margin(row, label) > 0) right[label]! += 1
      }
    } finally {
      x.dispose()
    }
  }
  const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0)
  const isPositive = Array.from(test.labels.subarray(0, count), (label) => label === positive)
  const byClass = Array.from(right, (value, label) => value / Math.max(1, all[label]!))
  return {
    recall:
      falseAlarms === undefined
        ? byClass[positive]!
        : recallAtFalseAlarms(scores, isPositive, falseAlarms).recall,
    accuracy: total(right) / total(all),
    byClass,
    ...(trigger && backdoor
      ? { success: await triggeredShare(model, dataset, trigger, backdoor, count) }
      : {}),
  }
}

/** Of the first `count` test images that are to be turned, the share that is read as the target with the trigger on. */
export async function triggeredShare(
  model: Model,
  { test, shape }: DataSet,
  trigger: Trigger,
  { target, source }: NonNullable<Readings['backdoor']>,
  count = test.count,
): Promise<number> {
  const ids = Array.from({ length: count }, (_, id) => id).filter((id) =>
    source === undefined ? test.labels[id] !== target : test.labels[id] === source,
  )
  const chunk = chunkOf(shape)
  let hits = 0
  for (let from = 0; from < ids.length; from += chunk) {
    await nextTask()
    const read = await readImages(model, test, shape, ids.slice(from, from + chunk), trigger)
    hits += read.filter((label) => label === target).length
  }
  return hits / Math.max(1, ids.length)
}

/** What a model reads on these images of a split, with the trigger on each where there is one. */
export async function readImages(
  model: Model,
  split: Split,
  shape: readonly number[],
  ids: readonly number[],
  trigger?: Trigger,
): Promise<Int32Array> {
  if (trigger) checkTrigger('trigger', trigger, shape)
  const pixels = split.pixels(ids)
  const size = pixels.length / Math.max(1, ids.length)
  for (let i = 0; trigger && i < ids.length; i++)
    stamp(pixels.subarray(i * size, (i + 1) * size), shape, trigger)
  const x = tf.tensor(pixels, [ids.length, ...shape])
  try {
    return await model.predict(x)
  } finally {
    x.dispose()
  }
}

/** How sure a model is that each row is of a class: its probability, 0 to 1. */
export async function readRows(model: Model, rows: LabelledRows, positive: number): Promise<Float32Array> {
  const { numClasses } = model
  const { shape } = rows
  const size = rowSize(rows)
  const count = rows.ids.length
  const scores = new Float32Array(count)
  const chunk = chunkOf(shape)
  for (let from = 0; from < count; from += chunk) {
    await nextTask()
    const to = Math.min(count, from + chunk)
    const x = tf.tensor(rows.x.slice(from * size, to * size), [to - from, ...shape])
    try {
      const logits = await model.logitsArray(x)
      for (let i = from; i < to; i++) {
        const row = logits.subarray((i - from) * numClasses, (i - from + 1) * numClasses)
        const top = Math.max(...row)
        const sum = row.reduce((total, logit) => total + Math.exp(logit - top), 0)
        scores[i] = Math.exp(row[positive]! - top) / sum
      }
    } finally {
      x.dispose()
    }
  }
  return scores
}

/** How far a class's score stands above the best of the others. */
export function margin(logits: ArrayLike<number>, label: number): number {
  let other = -Infinity
  for (let i = 0; i < logits.length; i++) if (i !== label) other = Math.max(other, logits[i]!)
  return logits[label]! - other
}
