import * as tf from '../core/tf.ts'
import type { LossSpec } from '../core/losses.ts'
import type { DataSet } from '../data/data-set.ts'
import type { Model } from '../models/model.ts'
import { median } from '../metrics/evasion.ts'
import type { Artefact, LedgerSummary } from './artefact.ts'
import { counted, figure } from './findings.ts'
import type { Task } from './grader.ts'
import {
  compareDirection,
  measurePerturbation,
  topOfRows,
  type Direction,
  type Perturbation,
} from './measure.ts'
import { atMost } from './rows.ts'
import type { EvidenceRow, GalleryItem } from './verdict.ts'

export type Examples = Extract<Artefact, { kind: 'adversarial-examples' }>

/** In what a checkpoint's budget is measured: the largest change of one element, or the length of the whole change. */
export type BudgetNorm = 'linf' | 'l2'
export const normWords: Readonly<Record<BudgetNorm, string>> = {
  linf: 'Largest change, L∞',
  l2: 'Longest change, L2',
}

/** Adversarial examples, measured against their originals on a trusted model. */
export interface MeasuredExamples {
  task: Task
  /** What one image shows ("digit"), and the names of its classes. */
  noun: string
  classes: readonly string[]
  originals: Float32Array
  pixels: Float32Array
  /** (N, …inputShape). */
  shape: number[]
  bounds: readonly [number, number]
  /** The norm and size of the checkpoint's budget. */
  norm: BudgetNorm
  limit: number
  perturbation: Perturbation
  readBefore: Int32Array
  readAfter: Int32Array
  /** Rows that succeeded, and how many. */
  success: boolean[]
  hits: number
  gallery: GalleryItem[]
}

/**
 * Reads originals and hand-in on the model and measures what was changed. `limit` is the budget in `norm`
 * (L∞ when left out) that the gallery draws each image against; `succeeds` says when an image counts: by
 * default when it is misread, or with `target` when it is read as that.
 */
export async function measureExamples(options: {
  task: Task
  examples: Examples
  model: Model
  dataset: DataSet
  limit: number
  norm?: BudgetNorm
  target?: number
  succeeds?: (read: number, row: number) => boolean
}): Promise<MeasuredExamples> {
  const { task, examples, model, dataset, limit, norm = 'linf', target } = options
  const succeeds =
    options.succeeds ??
    ((read: number, row: number) => (target === undefined ? read !== task.labels[row] : read === target))
  const { pixels, shape } = examples
  const count = task.ids.length
  const originals = dataset[task.split].pixels(task.ids)
  const perturbation = measurePerturbation(originals, pixels, count, model.bounds)
  const logitsBefore = await logitsOf(model, originals, shape)
  const logitsAfter = await logitsOf(model, pixels, shape)
  const readBefore = topOfRows(logitsBefore, count)
  const readAfter = topOfRows(logitsAfter, count)
  const success = Array.from(readAfter, succeeds)
  const rowOf = (logits: Float32Array, row: number) => [
    ...logits.subarray(row * model.numClasses, (row + 1) * model.numClasses),
  ]
  return {
    task,
    noun: dataset.noun,
    classes: dataset.classes,
    originals,
    pixels,
    shape,
    bounds: model.bounds,
    norm,
    limit,
    perturbation,
    readBefore,
    readAfter,
    success,
    hits: success.filter(Boolean).length,
    gallery: task.ids.map((id, row) => ({
      id,
      row,
      truth: task.labels[row]!,
      readBefore: readBefore[row]!,
      readAfter: readAfter[row]!,
      success: success[row]!,
      norm: perturbation[norm][row]!,
      limit,
      measuredIn: norm,
      logitsBefore: rowOf(logitsBefore, row),
      logitsAfter: rowOf(logitsAfter, row),
    })),
  }
}

/** The size of the image that was changed most, in a norm. */
export const largestIn = ({ perturbation }: Pick<MeasuredExamples, 'perturbation'>, norm: BudgetNorm) =>
  perturbation[norm].reduce((a, b) => Math.max(a, b), 0)

/** Hard row: no image was changed by more than its budget, in the budget's norm. */
export function normRow(
  measured: MeasuredExamples,
  norm: BudgetNorm = measured.norm,
  limit: number = measured.limit,
): EvidenceRow {
  const largest = largestIn(measured, norm)
  return atMost(limit, {
    id: norm,
    name: normWords[norm],
    detail: `over ${measured.perturbation.count} images`,
    measured: largest,
    precision: 3,
    scaleMax: Math.max(2 * limit, 1.1 * largest),
    hard: true,
    // A length sums up thousands of float32 roundings, each of them as a share of its pixel.
    ...(norm === 'l2' ? { tolerance: 1e-5 * limit } : {}),
  })
}

/** Hard row: no pixel of any image moved by more than ε. */
export const linfRow = (measured: MeasuredExamples, epsilon: number): EvidenceRow =>
  normRow(measured, 'linf', epsilon)

/**
 * Median size of the change over all images, those that did not succeed counted as infinite (Carlini &
 * Wagner 2017, §VI): a few easy successes cannot make it small.
 */
export const medianChange = ({ perturbation, success }: MeasuredExamples, norm: BudgetNorm): number =>
  median(Array.from(perturbation[norm], (size, row) => (success[row] ? size : Infinity)))

/** Row: the median size, failures infinite, is at most `limit`. More than half failed: it is not, by any measure. */
export function medianRow(measured: MeasuredExamples, norm: BudgetNorm, limit: number): EvidenceRow {
  const size = medianChange(measured, norm)
  const failed = measured.success.length - measured.hits
  return atMost(limit, {
    id: `median-${norm}`,
    name: `Median change, ${norm === 'linf' ? 'L∞' : 'L2'}`,
    detail: Number.isFinite(size)
      ? `over ${measured.success.length} images${failed ? `, ${failed} that held firm counted as infinite` : ''}`
      : `infinite: ${failed} of ${measured.success.length} images held firm`,
    measured: size,
    never: !Number.isFinite(size),
    precision: 3,
    scaleMax: Math.max(2 * limit, Number.isFinite(size) ? 1.1 * size : 0),
  })
}

/** Hard row: rows asked of the black box. The ledger counts them; an artefact alone cannot prove them. */
export function queriesRow(
  ledger: LedgerSummary | undefined,
  limit: number,
  name = 'Images asked about',
): EvidenceRow {
  const rows = Object.values(ledger?.rows ?? {}).reduce((sum, count) => sum + count, 0)
  return atMost(limit, {
    id: 'queries',
    name,
    detail: ledger ? `${rows} rows in ${counted(ledger.calls, 'call')}` : 'no ledger came with this hand-in',
    measured: ledger ? rows : Number.NaN,
    precision: 0,
    scaleMax: Math.max(1.25 * limit, rows),
    hard: true,
    claimed: true,
  })
}

/** Hard row: every pixel is one that a scanner could have produced. */
export function rangeRow({
  perturbation,
  bounds,
  pixels,
}: Pick<MeasuredExamples, 'perturbation' | 'bounds' | 'pixels'>): EvidenceRow {
  const { outside, overshoot, range } = perturbation
  return atMost(0, {
    id: 'range',
    name: `Farthest outside [${bounds[0]}, ${bounds[1]}]`,
    detail: outside
      ? `${outside} of ${pixels.length} pixels are outside, from ${figure(range[0])} to ${figure(range[1])}`
      : `all ${pixels.length} pixels are inside`,
    measured: overshoot,
    precision: 3,
    scaleMax: Math.max(0.5, 1.1 * overshoot),
    hard: true,
  })
}

export async function logitsOf(model: Model, pixels: Float32Array, shape: number[]): Promise<Float32Array> {
  const x = tf.tensor(pixels, shape, 'float32')
  try {
    return await model.logitsArray(x)
  } finally {
    x.dispose()
  }
}

/** Gradient of the summed loss with respect to the pixels, row-major; computed in blocks. */
export async function gradientOf(
  model: Model,
  pixels: Float32Array,
  shape: readonly number[],
  labels: ArrayLike<number>,
  loss?: LossSpec,
): Promise<Float32Array> {
  const [count = 0, ...inputShape] = shape
  const size = pixels.length / count
  const gradient = new Float32Array(pixels.length)
  for (let at = 0; at < count; at += 100) {
    const end = Math.min(at + 100, count)
    const x = tf.tensor(pixels.subarray(at * size, end * size), [end - at, ...inputShape], 'float32')
    const owned: tf.Tensor[] = [x]
    try {
      const result = await model.lossAndGradient(
        x,
        Array.from({ length: end - at }, (_, i) => labels[at + i]!),
        loss,
      )
      owned.push(result.loss, result.gradient)
      gradient.set(await result.gradient.data(), at * size)
    } finally {
      tf.dispose(owned)
    }
  }
  return gradient
}

/** A guess at what a step was computed from. */
export interface Hypothesis {
  /** Whose loss: the true label, the task's target, one class for all, or the label shifted by some classes. */
  kind: 'true' | 'target' | 'fixed' | 'shifted'
  /** The class, or the shift. */
  value: number
  direction: 'climbs' | 'descends'
  /** Mean share of an image's moved pixels that go this way. */
  agreement: number
}

/** How a hand-in lies to the gradients of every class, taken at the originals. */
export interface Diagnosis extends Direction {
  /** The best explanation of the signs, true label and target before all others; undefined below 0.9. */
  explanation?: Hypothesis
}

/**
 * Compares the signs of what was done with the sign of every class's loss gradient. Needs one gradient a
 * class, so it is for hand-ins that failed. `target` is the class a targeted task asks for.
 */
export async function diagnoseDirection(
  measured: MeasuredExamples,
  model: Model,
  target?: number,
): Promise<Diagnosis> {
  const { originals, pixels, shape, perturbation, bounds, task } = measured
  const count = perturbation.count
  const size = originals.length / count
  const gradients: Float32Array[] = []
  for (let k = 0; k < model.numClasses; k++) {
    gradients.push(await gradientOf(model, originals, shape, new Int32Array(count).fill(k)))
  }
  const own = new Float32Array(originals.length)
  task.labels.forEach((label, row) =>
    own.set(gradients[label]!.subarray(row * size, (row + 1) * size), row * size),
  )
  const judged = target === undefined ? own : gradients[target]!
  const direction = compareDirection(originals, pixels, judged, perturbation, bounds)

  const agreements = gradients.map((gradient) => rowAgreements(originals, pixels, gradient, count))
  const mean = (classOf: (row: number) => number) => {
    const seen = task.labels
      .map((_, row) => agreements[classOf(row)]![row]!)
      .filter((share) => !Number.isNaN(share))
    return seen.length ? seen.reduce((a, b) => a + b, 0) / seen.length : 0.5
  }
  const rules: { kind: Hypothesis['kind']; value: number; classOf: (row: number) => number }[] = [
    ...(target === undefined ? [] : [{ kind: 'target' as const, value: target, classOf: () => target }]),
    { kind: 'true', value: 0, classOf: (row) => task.labels[row]! },
    ...gradients.map((_, k) => ({ kind: 'fixed' as const, value: k, classOf: () => k })),
    ...gradients.slice(1).map((_, i) => ({
      kind: 'shifted' as const,
      value: i + 1,
      classOf: (row: number) => (task.labels[row]! + i + 1) % model.numClasses,
    })),
  ]
  const hypotheses = rules.flatMap(({ kind, value, classOf }): Hypothesis[] => {
    const climbing = mean(classOf)
    return [
      { kind, value, direction: 'climbs', agreement: climbing },
      { kind, value, direction: 'descends', agreement: 1 - climbing },
    ]
  })
  // A stable sort: of equals, the plainer rule that was listed first.
  const [best] = hypotheses.sort((a, b) => b.agreement - a.agreement)
  return { ...direction, ...(best && best.agreement >= 0.9 ? { explanation: best } : {}) }
}

/** For each row the share of moved pixels that moved the gradient's way; NaN where nothing moved. */
function rowAgreements(
  originals: Float32Array,
  pixels: Float32Array,
  gradient: Float32Array,
  count: number,
): Float64Array {
  const size = originals.length / count
  return Float64Array.from({ length: count }, (_, row) => {
    let agree = 0
    let compared = 0
    for (let i = row * size; i < (row + 1) * size; i++) {
      const change = pixels[i]! - originals[i]!
      if (Math.abs(change) < 1e-7 || gradient[i] === 0) continue
      compared++
      if (change > 0 === gradient[i]! > 0) agree++
    }
    return agree / compared
  })
}
