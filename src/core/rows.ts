/** Each row of a batch is attacked for itself; this is what attacks do row by row, on the device. */
import { criterionLabels, type Criterion } from './criteria.ts'
import * as tf from './tf.ts'

/** (N) → (N, 1, …, 1), to scale the rows of x. */
export function perRow(values: tf.Tensor, x: tf.Tensor): tf.Tensor {
  return tf.reshape(
    values,
    x.shape.map((size, axis) => (axis === 0 ? size : 1)),
  )
}

/** The rows of `yes` where the mask (N) holds, else those of `no`. */
export function pickRows(mask: tf.Tensor, yes: tf.Tensor, no: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.where(perRow(mask, yes), yes, no))
}

/** (N) bool: is the row, read by its largest logit, a success? Ties go to the first class. */
export function adversarialRows(logits: tf.Tensor, criterion: Criterion): tf.Tensor {
  return tf.tidy(() => {
    const wanted = tf.tensor1d(Int32Array.from(criterionLabels(criterion)), 'int32')
    const read = tf.cast(tf.argMax(logits, 1), 'int32')
    return criterion.kind === 'targeted' ? tf.equal(read, wanted) : tf.notEqual(read, wanted)
  })
}

/** The classes as rows of a 1 among zeros: (N, classes), float32. */
export function oneHotRows(classes: ArrayLike<number>, numClasses: number): tf.Tensor {
  return tf.tidy(() =>
    tf.cast(tf.oneHot(tf.tensor1d(Int32Array.from(classes), 'int32'), numClasses), 'float32'),
  )
}

/** (N, …) as N plain rows, copied from the device. */
export async function readRows(x: tf.Tensor): Promise<Float32Array[]> {
  const all = Float32Array.from(await x.data())
  const rows = x.shape[0]!
  const width = all.length / Math.max(1, rows)
  return Array.from({ length: rows }, (_, row) => all.subarray(row * width, (row + 1) * width))
}

/** The class that scores highest; ties go to the first. */
export function indexOfMax(scores: Float32Array): number {
  return scores.reduce((best, score, k) => (score > scores[best]! ? k : best), 0)
}

/** The classes other than the label, highest score first, at most `count` of them. */
export function likeliestOthers(scores: Float32Array, label: number, count: number): number[] {
  const others = [...scores.keys()].filter((k) => k !== label)
  return others.sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, count)
}

/** Where a mask (N) holds, as row numbers. */
export async function rowsWhere(mask: tf.Tensor): Promise<number[]> {
  const yes = await mask.data()
  return Array.from(yes.keys()).filter((row) => yes[row])
}

/** Rows that are no success yet, by number. */
export async function openRows(logits: tf.Tensor, criterion: Criterion): Promise<number[]> {
  const mask = tf.tidy(() => tf.logicalNot(adversarialRows(logits, criterion)))
  try {
    return await rowsWhere(mask)
  } finally {
    mask.dispose()
  }
}

/** A copy of `all` with `some` in place of its rows at these numbers. */
export function putRows(all: tf.Tensor, some: tf.Tensor, rows: readonly number[]): tf.Tensor {
  const count = all.shape[0]!
  const from = Array.from({ length: count }, (_, row) => row)
  for (const [i, row] of rows.entries()) from[row] = count + i
  return tf.tidy(() => tf.gather(tf.concat([all, some]), from))
}
