/** A data set of points and a model that reads each as its larger coordinate: figures that fit on paper. */
import type { DataSet, Split } from '../../../src/data/data-set.ts'
import * as tf from '../../../src/core/tf.ts'
import type { Task } from '../../../src/grading/grader.ts'

/** Each row is one image of 1 × length × 1. */
export function toyData(rows: number[][], labels: number[]): DataSet {
  const width = rows[0]!.length
  const pixels = (ids: ArrayLike<number>) => Float32Array.from(Array.from(ids).flatMap((id) => rows[id]!))
  const split: Split = {
    count: rows.length,
    labels: Uint8Array.from(labels),
    pixels,
    images: (ids) => tf.tensor(pixels(ids), [ids.length, width]),
  }
  return {
    name: 'toy',
    noun: 'point',
    shape: [1, width, 1],
    classes: ['left', 'right'],
    train: split,
    test: split,
  }
}

export const toyTask = (labels: number[]): Task => ({
  victim: { model: 'toy' },
  dataset: 'toy',
  split: 'test',
  ids: labels.map((_, i) => i),
  labels,
  values: {},
})
