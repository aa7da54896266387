/**
 * Measuring a stolen linear model. Agreement is counted on random probes, not on patients: a table's rows lie far from
 * the border, where nearly any model agrees.
 */
import { createRng } from '../core/rng.ts'
import type { DataSet } from '../data/data-set.ts'
import { agreement as shareAlike, weightError as errorOf } from '../metrics/extraction.ts'
import { logOdds, type LogisticModel } from '../models/logistic.ts'
import type { Model } from '../models/model.ts'
import type { Artefact } from './artefact.ts'

/** Tensors of a logistic surrogate with d inputs, for `task.surrogate`. */
export const logisticTensors = (d: number): { name: string; shape: number[] }[] => [
  { name: 'weights', shape: [d] },
  { name: 'bias', shape: [1] },
]

/** The handed-in logistic model. Throws TypeError for another artefact: the referee has checked its tensors. */
export function logisticOf(artefact: Artefact): LogisticModel {
  const values = (name: string) =>
    artefact.kind === 'model-weights'
      ? artefact.tensors.find((tensor) => tensor.name === name)?.values
      : undefined
  const [weights, bias] = [values('weights'), values('bias')]
  if (!weights || bias?.length !== 1)
    throw new TypeError(`logisticOf: expected weights and bias; got ${artefact.kind}`)
  return { weights: Array.from(weights), bias: bias[0]! }
}

/** A dense model of two scores as the log-odds of its second class. Throws TypeError for any other architecture. */
export async function logisticVictim(model: Model): Promise<LogisticModel> {
  const [kernel, bias] = await model.weights()
  const { layers, numClasses } = model.architecture
  if (layers.length !== 1 || layers[0]!.type !== 'dense' || numClasses !== 2)
    throw new TypeError(`${model.architecture.name}: expected one dense layer of two scores`)
  return logisticOfScores({ weights: kernel!.values, bias: bias!.values })
}

/** Two scores that are linear in the input (weights: inputs × 2, row-major) as the log-odds of the second. */
export function logisticOfScores({
  weights,
  bias,
}: {
  weights: ArrayLike<number>
  bias: ArrayLike<number>
}): LogisticModel {
  return {
    weights: Array.from({ length: weights.length / 2 }, (_, i) => weights[2 * i + 1]! - weights[2 * i]!),
    bias: bias[1]! - bias[0]!,
  }
}

/** Standard normal points of d numbers: how a table looks from outside when nothing is known but its scale. */
export function randomProbes(count: number, d: number, seed: number): Float32Array[] {
  const rng = createRng(seed, 'probes')
  return Array.from({ length: count }, () => Float32Array.from({ length: d }, () => rng.normal()))
}

/** The rows of a table's split, as plain numbers. */
export function tableRows(data: DataSet, split: 'train' | 'test', ids?: readonly number[]): Float32Array[] {
  const part = data[split]
  const chosen = ids ?? Array.from({ length: part.count }, (_, id) => id)
  const values = part.pixels(chosen)
  const width = values.length / chosen.length
  return chosen.map((_, row) => values.subarray(row * width, (row + 1) * width))
}

/** Share (0..1) of the points that both put on the same side. */
export function agreement(a: LogisticModel, b: LogisticModel, points: readonly ArrayLike<number>[]): number {
  const sides = (model: LogisticModel) => points.map((x) => Number(logOdds(model, x) > 0))
  return shareAlike(sides(a), sides(b))
}

/** Share (0..1) of the points that a model puts into its more frequent class: 1 is a constant answer. */
export function oneSided(model: LogisticModel, points: readonly ArrayLike<number>[]): number {
  const share = points.filter((x) => logOdds(model, x) > 0).length / points.length
  return Math.max(share, 1 - share)
}

/** Largest difference of any weight, the bias among them. */
export const weightError = (a: LogisticModel, b: LogisticModel): number =>
  errorOf([...a.weights, a.bias], [...b.weights, b.bias]).largest

/** Every number the same to the last bit: answers never give that, reading the weights does. */
export const isSame = (a: LogisticModel, b: LogisticModel): boolean =>
  Math.fround(a.bias) === Math.fround(b.bias) &&
  a.weights.every((weight, i) => Math.fround(weight) === Math.fround(b.weights[i]!))
