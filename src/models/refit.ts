/**
 * Transfer learning, the cheap way: all layers of a network but the last are kept as they are, and the last one
 * is trained from nothing on new rows. What it reads of a row, its features, is computed once.
 */
import type { RunContext } from '../core/run.ts'
import * as tf from '../core/tf.ts'
import { checkRows, rowSize, type LabelledRows } from '../data/labelled-rows.ts'
import { firstLayers, penultimate } from './features.ts'
import type { Architecture, Model, Weight } from './model.ts'
import { createModel } from './network.ts'
import { trainOnRows, type TrainOnRows } from './train-on-rows.ts'
import type { HistoryPoint } from './train.ts'

/** Rows whose features are computed at once. */
const chunk = 500

/** The network's last layer alone: features in, scores out. */
export function lastLayer(
  { name, layers, numClasses, classes }: Architecture,
  features: number,
): Architecture {
  return {
    name: `${name}, last layer`,
    inputShape: [features],
    numClasses,
    classes,
    bounds: [-Infinity, Infinity],
    layers: [layers.at(-1)!],
  }
}

/** What the last layer reads of each row, as rows of their own. Throws `bad-input` for rows that do not fit. */
export async function featureRows(
  architecture: Architecture,
  weights: readonly Weight[],
  rows: LabelledRows,
): Promise<LabelledRows> {
  checkRows('features', rows)
  const cut = firstLayers(architecture, weights, penultimate(architecture))
  const features = createModel(cut.architecture, cut.weights)
  const { numClasses: width } = features
  const size = rowSize(rows)
  const count = rows.ids.length
  const x = new Float32Array(count * width)
  try {
    for (let from = 0; from < count; from += chunk) {
      const to = Math.min(count, from + chunk)
      const part = tf.tensor(rows.x.slice(from * size, to * size), [to - from, ...rows.shape])
      try {
        x.set(await features.logitsArray(part), from * width)
      } finally {
        part.dispose()
      }
    }
  } finally {
    features.dispose()
  }
  return { ...rows, x, shape: [width] }
}

/**
 * A victim as its spec says: trained from nothing, or by its last layer alone on top of the shipped ones. Throws as
 * trainOnRows does.
 */
export function fitVictim(
  { architecture, weights }: { architecture: Architecture; weights: readonly Weight[] },
  rows: LabelledRows,
  { layers, ...spec }: TrainOnRows,
  run: Omit<RunContext, 'seed'> = {},
): Promise<{ weights: Weight[]; history: HistoryPoint[] }> {
  return layers === 'last'
    ? refitLastLayer({ architecture, weights }, rows, spec, run)
    : trainOnRows(architecture, rows, spec, run)
}

/** Throws as trainOnRows does. `evaluate` is asked about the whole network, with the layer as it is by then. */
async function refitLastLayer(
  { architecture, weights }: { architecture: Architecture; weights: readonly Weight[] },
  rows: LabelledRows,
  { evaluate, ...spec }: Omit<TrainOnRows, 'layers'>,
  run: Omit<RunContext, 'seed'> = {},
): Promise<{ weights: Weight[]; history: HistoryPoint[] }> {
  const seen = await featureRows(architecture, weights, rows)
  const layer = lastLayer(architecture, seen.shape[0]!)
  const joined = (fitted: readonly Weight[]): Weight[] => [
    ...weights.slice(0, -fitted.length),
    ...fitted.map(({ values }, i) => ({ ...weights.at(i - fitted.length)!, values })),
  ]
  const onWhole =
    evaluate &&
    (async (head: Model) => {
      const whole = createModel(architecture, joined(await head.weights()))
      try {
        return await evaluate(whole)
      } finally {
        whole.dispose()
      }
    })
  const fitted = await trainOnRows(layer, seen, { ...spec, ...(onWhole ? { evaluate: onWhole } : {}) }, run)
  return { weights: joined(fitted.weights), history: fitted.history }
}
