/**
 * The referee's own attacks: a model that is handed in is measured by attacking it, with the library's
 * attacks and on trusted images, so that its figures do not come from the one who made it.
 */
import type { Options } from '../attacks/attack.ts'
import { findAttack } from '../attacks/registry.ts'
import { runEvasion } from '../attacks/run-evasion.ts'
import { isAdversarial, type Criterion } from '../core/criteria.ts'
import type { TraceStep } from '../core/run.ts'
import * as tf from '../core/tf.ts'
import type { DataSet } from '../data/data-set.ts'
import type { Model } from '../models/model.ts'
import { topOfRows } from './measure.ts'
import type { Task } from './grader.ts'

export interface RefereeAttack {
  /** Id of an attack of the library: a file in src/attacks/evasion/. */
  attack: string
  options: Options
  /** Where its randomness comes from; draw it from the variant. */
  seed: number
  /** A class to be read as, one an image; without it, any wrong one. */
  targets?: ArrayLike<number>
}

export interface AttackedImages {
  /** Row-major, of the originals' shape. */
  pixels: Float32Array
  /** What the model reads in each. */
  read: Int32Array
  success: boolean[]
  hits: number
  /** Of the first batch. */
  trace: TraceStep[]
}

const batchRows = 64

/**
 * Attacks images of a trusted data set (or `pixels` of one's own) on a model, batch by batch. Nothing of it
 * is left behind. Throws as the attack does: for an unknown attack, option or target.
 */
export async function attackImages(
  model: Model,
  images: { pixels: Float32Array; labels: ArrayLike<number> },
  { attack, options, seed, targets }: RefereeAttack,
): Promise<AttackedImages> {
  const entry = findAttack(attack)
  const { pixels, labels } = images
  const count = labels.length
  const size = pixels.length / count
  const found = new Float32Array(pixels.length)
  const read = new Int32Array(count)
  const success: boolean[] = []
  let trace: TraceStep[] = []
  for (let from = 0; from < count; from += batchRows) {
    const to = Math.min(count, from + batchRows)
    const part = (values: ArrayLike<number>) => Array.from(values).slice(from, to)
    const criterion: Criterion = targets
      ? { kind: 'targeted', targets: part(targets) }
      : { kind: 'misclassification', labels: part(labels) }
    const x = tf.tensor(pixels.subarray(from * size, to * size), [to - from, ...model.inputShape], 'float32')
    const owned: tf.Tensor[] = [x]
    try {
      const result = await runEvasion(entry, model, x, criterion, options, { seed: seed + from })
      owned.push(result.adversarial)
      if (from === 0) trace = result.trace
      found.set(await result.adversarial.data(), from * size)
      const top = topOfRows(await model.logitsArray(result.adversarial), to - from)
      read.set(top, from)
      top.forEach((predicted, i) => success.push(isAdversarial(criterion, i, predicted)))
    } finally {
      tf.dispose(owned)
    }
  }
  return { pixels: found, read, success, hits: success.filter(Boolean).length, trace }
}

/**
 * How many of the task's images a model still reads rightly when the library attacks it. Images that it
 * misreads anyway count as lost and are not attacked. `clean`: how many it reads rightly by itself.
 */
export async function rightUnderAttack(
  model: Model,
  task: Pick<Task, 'split' | 'ids' | 'labels'>,
  dataset: DataSet,
  attack: RefereeAttack,
): Promise<{ clean: number; right: number }> {
  const pixels = dataset[task.split].pixels(task.ids)
  const x = tf.tensor(pixels, [task.ids.length, ...model.inputShape], 'float32')
  let read: Int32Array
  try {
    read = await model.predict(x)
  } finally {
    x.dispose()
  }
  const rows = task.labels.flatMap((label, row) => (read[row] === label ? [row] : []))
  if (rows.length === 0) return { clean: 0, right: 0 }
  const images = {
    pixels: dataset[task.split].pixels(rows.map((row) => task.ids[row]!)),
    labels: rows.map((row) => task.labels[row]!),
  }
  const targets = attack.targets ? { targets: rows.map((row) => attack.targets![row]!) } : {}
  const { read: after } = await attackImages(model, images, { ...attack, ...targets })
  const right = images.labels.filter((label, i) => after[i] === label).length
  return { clean: rows.length, right }
}
