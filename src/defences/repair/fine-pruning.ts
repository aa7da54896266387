/**
 * Fine-pruning: units that clean inputs leave asleep are where a backdoor hides. They are cut off, those
 * least awake first, until the model begins to misread clean inputs, and what is left is trained on a little
 * on trusted rows. Liu, Dolan-Gavitt, Garg 2018, "Fine-Pruning: Defending Against Backdooring Attacks on Deep
 * Neural Networks", §4, arXiv:1805.12185.
 *
 * Differs from the paper: any layer with a ReLU can be pruned, not only the last convolution. A pruning-aware
 * attacker (their §3.2) puts the backdoor into units that are awake: that is why the training on trusted rows
 * belongs to it. The caller trains (models/train.ts); this file prunes.
 */
import { PerturbError } from '../../core/errors.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { LabelledRows } from '../../data/labelled-rows.ts'
import { accuracyOf } from '../../metrics/poisoning.ts'
import { firstLayers } from '../../models/features.ts'
import type { Architecture, Weight } from '../../models/model.ts'
import { createModel } from '../../models/network.ts'
import { weightShapes } from '../../models/weights.ts'

export interface PruningOptions {
  /**
   * Which layer, by its place among all, counted from 0; the last convolution when absent, the last hidden
   * dense layer where there is none.
   */
  layer?: number
  /** Clean accuracy that may be lost on the trusted rows; the paper's 4 points. */
  tolerance: number
}

export interface Pruned {
  weights: Weight[]
  layer: number
  /** Mean activation of each unit (filter) over the trusted rows. */
  activations: Float64Array
  /** Units that were cut off, the sleepiest first. */
  pruned: number[]
  /** Clean accuracy on the trusted rows with 0, 1, 2, … units cut off, as far as it was tried. */
  accuracies: number[]
}

/**
 * Cuts units off as long as the accuracy on the trusted rows stays within `tolerance` of what it was; one
 * unit is always left. weights are untouched. Throws `bad-input` for a layer that has no ReLU, trusted rows
 * that do not fit, and none at all; RangeError unless tolerance lies in [0, 1].
 */
export async function prune(
  architecture: Architecture,
  weights: readonly Weight[],
  trusted: LabelledRows,
  { layer = lastPrunable(architecture), tolerance }: PruningOptions,
  run: RunContext,
): Promise<Pruned> {
  if (!(tolerance >= 0 && tolerance <= 1))
    throw new RangeError(`fine-pruning: tolerance must lie in [0, 1]; got ${tolerance}`)
  if (trusted.ids.length === 0)
    throw new PerturbError('bad-input', 'fine-pruning: expected trusted rows to prune by; got none')
  checkLayer(architecture, layer)
  const activations = await meanActivations(architecture, weights, layer, trusted)
  const sleepiest = [...activations.keys()].sort((a, b) => activations[a]! - activations[b]! || a - b)
  const accuracies = [await accuracyWithout(architecture, weights, layer, [], trusted)]
  let count = 0
  while (count < sleepiest.length - 1) {
    throwIfCancelled(run)
    const accuracy = await accuracyWithout(
      architecture,
      weights,
      layer,
      sleepiest.slice(0, count + 1),
      trusted,
    )
    accuracies.push(accuracy)
    if (accuracy < accuracies[0]! - tolerance) break
    count++
    run.onStep?.(count, sleepiest.length - 1, { accuracy })
  }
  const pruned = sleepiest.slice(0, count)
  return {
    weights: withoutUnits(architecture, weights, layer, pruned),
    layer,
    activations,
    pruned,
    accuracies,
  }
}

/**
 * The weights with these units of a layer silenced: kernel column and bias at 0, so that the ReLU gives 0
 * whatever comes in.
 */
export function withoutUnits(
  architecture: Architecture,
  weights: readonly Weight[],
  layer: number,
  units: readonly number[],
): Weight[] {
  checkLayer(architecture, layer)
  const before = architecture.layers
    .slice(0, layer)
    .filter(({ type }) => type === 'conv2d' || type === 'dense').length
  const names = weightShapes(architecture).map(({ name }) => name)
  const own = new Set([names[2 * before], names[2 * before + 1]])
  return weights.map((weight) => {
    if (!own.has(weight.name)) return { ...weight, values: weight.values.slice() }
    const wide = weight.shape.at(-1)!
    const silent = new Set(units)
    return { ...weight, values: weight.values.map((value, k) => (silent.has(k % wide) ? 0 : value)) }
  })
}

/** Mean output of each unit of a layer over the rows; of a filter, over its pixels too. */
export async function meanActivations(
  architecture: Architecture,
  weights: readonly Weight[],
  layer: number,
  rows: LabelledRows,
): Promise<Float64Array> {
  const cut = firstLayers(architecture, weights, layer + 1)
  const model = createModel(cut.architecture, cut.weights)
  const units = unitsOf(architecture, layer)
  const x = tf.tensor(rows.x, [rows.ids.length, ...rows.shape], 'float32')
  try {
    const outputs = await model.logitsArray(x)
    const sums = new Float64Array(units)
    for (let k = 0; k < outputs.length; k++) sums[k % units]! += outputs[k]!
    return sums.map((sum) => sum / (outputs.length / units))
  } finally {
    x.dispose()
    model.dispose()
  }
}

async function accuracyWithout(
  architecture: Architecture,
  weights: readonly Weight[],
  layer: number,
  units: readonly number[],
  rows: LabelledRows,
): Promise<number> {
  const model = createModel(architecture, withoutUnits(architecture, weights, layer, units))
  const x = tf.tensor(rows.x, [rows.ids.length, ...rows.shape], 'float32')
  try {
    return accuracyOf(await model.predict(x), rows.labels)
  } finally {
    x.dispose()
    model.dispose()
  }
}

const hasRelu = (layer: Architecture['layers'][number] | undefined) =>
  layer !== undefined && (layer.type === 'conv2d' || layer.type === 'dense') && layer.activation === 'relu'

function unitsOf({ layers }: Architecture, at: number): number {
  const layer = layers[at]!
  return layer.type === 'conv2d' ? layer.filters : layer.type === 'dense' ? layer.units : 0
}

/** The last convolution with a ReLU, or else the last dense layer with one; −1 when there is neither. */
export function lastPrunable({ layers }: Architecture): number {
  const last = (type: 'conv2d' | 'dense') =>
    layers.findLastIndex((layer) => layer.type === type && hasRelu(layer))
  return last('conv2d') >= 0 ? last('conv2d') : last('dense')
}

function checkLayer({ name, layers }: Architecture, layer: number): void {
  if (!hasRelu(layers[layer]))
    throw new PerturbError(
      'bad-input',
      `fine-pruning: layer ${layer} of ${name} is no convolution or dense layer with a ReLU, so it has no units to cut off`,
    )
}
