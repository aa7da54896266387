import * as tf from '../core/tf.ts'
import type { DataSet } from '../data/data-set.ts'
import { rowSize, type LabelledRows } from '../data/labelled-rows.ts'
import { recallAtFalseAlarms } from '../metrics/poisoning.ts'
import type { Model } from '../models/model.ts'

/** What is read of a victim that was trained. */
export interface Readings {
  /** The class whose recall is read … */
  positive: number
  /** … when this share of all others may be taken for it, 0 to 1. */
  falseAlarms: number
}

export interface Reading {
  /** Share of the test rows of the positive class that are found, at the fixed share of false alarms. */
  recall: number
  /** Share of all test rows that get their own class as the top one. */
  accuracy: number
  /** The same, class by class. */
  byClass: number[]
}

/** Test rows read at once. */
const chunk = 2000

/** Reads a model on the test split, or on so many of its first rows. */
export async function readTest(
  model: Model,
  { test }: DataSet,
  { positive, falseAlarms }: Readings,
  count = test.count,
): Promise<Reading> {
  const { numClasses } = model
  const scores = new Float32Array(count)
  const right = new Float64Array(numClasses)
  const all = new Float64Array(numClasses)
  for (let from = 0; from < count; from += chunk) {
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
  return {
    recall: recallAtFalseAlarms(scores, isPositive, falseAlarms).recall,
    accuracy: total(right) / total(all),
    byClass: Array.from(right, (value, label) => value / Math.max(1, all[label]!)),
  }
}

/** How sure a model is that each row is of a class: its probability, 0 to 1. */
export async function readRows(model: Model, rows: LabelledRows, positive: number): Promise<Float32Array> {
  const { numClasses } = model
  const { shape } = rows
  const size = rowSize(rows)
  const count = rows.ids.length
  const scores = new Float32Array(count)
  for (let from = 0; from < count; from += chunk) {
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
