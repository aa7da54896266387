/**
 * A network cut off behind one of its layers: what it has made of an input by then, flat, stands where logits
 * stood.
 */
import { PerturbError } from '../core/errors.ts'
import * as tf from '../core/tf.ts'
import type { LabelledRows } from '../data/labelled-rows.ts'
import type { Architecture, Model, Weight } from './model.ts'
import { createModel } from './network.ts'
import { outputShape, weightShapes } from './weights.ts'

const hasWeights = ({ type }: Architecture['layers'][number]) => type === 'conv2d' || type === 'dense'

/** Number of layers in front of the last one: its features are what the last layer reads. */
export const penultimate = ({ layers }: Architecture): number => layers.length - 1

/**
 * The first `count` layers with their weights, and a flatten behind them if needed: a network of its own,
 * whose classes are the features. Throws `bad-input` unless count is a whole number from 1 to the number of
 * layers.
 */
export function firstLayers(
  architecture: Architecture,
  weights: readonly Weight[],
  count: number,
): { architecture: Architecture; weights: Weight[] } {
  const { layers } = architecture
  if (!(Number.isInteger(count) && count >= 1 && count <= layers.length))
    throw new PerturbError(
      'bad-input',
      `firstLayers: ${architecture.name} has ${layers.length} layers; got ${count}`,
    )
  const ordered = weightShapes(architecture).map(({ name }) => {
    const weight = weights.find((one) => one.name === name)
    if (!weight) throw new PerturbError('bad-input', `firstLayers: weight ${name} is missing`)
    return weight
  })
  const kept = layers.slice(0, count)
  const cut: Architecture = {
    ...architecture,
    name: `${architecture.name}, first ${count} layers`,
    layers:
      kept.at(-1)!.type === 'dense' || kept.at(-1)!.type === 'flatten'
        ? kept
        : [...kept, { type: 'flatten' }],
  }
  const [numClasses] = cut.layers.reduce<number[]>(
    (shape, layer) => outputShape(layer, shape, cut.name),
    [...architecture.inputShape],
  ) as [number]
  const features: Architecture = {
    ...cut,
    numClasses,
    classes: Array.from({ length: numClasses }, (_, i) => `feature ${i}`),
  }
  // Names carry a number where there are several of a kind, so a shorter network may call them otherwise.
  const names = weightShapes(features).map(({ name }) => name)
  const own = ordered.slice(0, 2 * kept.filter(hasWeights).length)
  return { architecture: features, weights: own.map((weight, i) => ({ ...weight, name: names[i]! })) }
}

/**
 * Features as a model: white-box access whose logits are what the last layer reads. The caller disposes it.
 */
export async function featureModel(model: Model, layers = penultimate(model.architecture)): Promise<Model> {
  const cut = firstLayers(model.architecture, await model.weights(), layers)
  return createModel(cut.architecture, cut.weights)
}

/** What the last layer reads of each row, with ids and labels: what filters of a training set look at. */
export async function featuresOf(
  model: Model,
  rows: LabelledRows,
): Promise<{ ids: Int32Array; x: Float32Array; size: number; labels: Int32Array; numClasses: number }> {
  const features = await featureModel(model)
  const x = tf.tensor(rows.x, [rows.ids.length, ...rows.shape], 'float32')
  try {
    return {
      ids: rows.ids,
      x: await features.logitsArray(x),
      size: features.numClasses,
      labels: rows.labels,
      numClasses: rows.numClasses,
    }
  } finally {
    x.dispose()
    features.dispose()
  }
}
