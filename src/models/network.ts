import type { Labels } from '../core/classifier.ts'
import { PerturbError } from '../core/errors.ts'
import { convolutionLayer, denseLayer } from '../core/layers.ts'
import { checkLabels, crossEntropy, lossRows, type LossSpec } from '../core/losses.ts'
import * as tf from '../core/tf.ts'
import type { Architecture, Model, Weight } from './model.ts'
import { checkWeights, weightShapes } from './weights.ts'

/**
 * Rows computed at once: bounds the memory of a large N. A processor keeps so many in its cache, which saves a tenth of
 * the larger networks' time; a GPU likes more. On WASM a row's numbers do not depend on it.
 */
const rowsAtOnce = {
  processor: { forward: 64, gradient: 64 },
  gpu: { forward: 1024, gradient: 512 },
}
const rowsHere = () => rowsAtOnce[tf.getBackend().startsWith('webg') ? 'gpu' : 'processor']

/**
 * A network with these weights on the current backend. Throws PerturbError `bad-input` for weights that
 * do not fit or are not finite. Dispose it when done.
 */
export function createModel(architecture: Architecture, weights: readonly Weight[]): Model {
  const tensors = uploadWeights(architecture, weights)
  return modelOver(
    architecture,
    () => tensors,
    () => tf.dispose(tensors),
  )
}

/** The weights as tensors that survive a tidy. */
export function uploadWeights(architecture: Architecture, weights: readonly Weight[]): tf.Tensor[] {
  return checkWeights(architecture, weights).map(({ values, shape }) => tf.keep(tf.tensor(values, shape)))
}

/** A model whose weights are looked up at each use, so that a trainer can replace them between steps. */
export function modelOver(
  architecture: Architecture,
  current: () => readonly tf.Tensor[],
  dispose: () => void,
): Model {
  const { inputShape, numClasses, bounds } = architecture
  const shapes = weightShapes(architecture)
  let disposed = false
  const ready = (x: tf.Tensor, what: string) => {
    if (disposed) throw new PerturbError('bad-input', `${architecture.name}: ${what} after dispose()`)
    const fits = x.shape.length === inputShape.length + 1 && inputShape.every((n, i) => x.shape[i + 1] === n)
    if (!fits)
      throw new PerturbError('bad-input', `${what}: expected x of shape [N,${inputShape}], got [${x.shape}]`)
    if (x.dtype !== 'float32')
      throw new PerturbError('bad-input', `${what}: expected x of float32, got ${x.dtype}`)
  }
  const run = (x: tf.Tensor) => forward(architecture, current(), x)

  const logits = async (x: tf.Tensor) => {
    ready(x, 'logits')
    return tf.tidy(() => joined([numClasses], inBatches(x, rowsHere().forward, run)))
  }
  const logitsArray = async (x: tf.Tensor) => {
    const result = await logits(x)
    try {
      return (await result.data()) as Float32Array
    } finally {
      result.dispose()
    }
  }
  return {
    architecture,
    inputShape,
    numClasses,
    bounds,
    logits,
    logitsArray,
    async lossAndGradient(x, y, loss: LossSpec = crossEntropy) {
      ready(x, 'lossAndGradient')
      checkLabels(y, x.shape[0]!, numClasses, 'y')
      if (loss.kind === 'dlr' && loss.targets) checkLabels(loss.targets, x.shape[0]!, numClasses, 'targets')
      return tf.tidy(() => {
        const parts = inBatches(x, rowsHere().gradient, (part, from) => {
          const to = from + part.shape[0]!
          const labels = rowsOf(y, from, to)
          const spec =
            loss.kind === 'dlr' && loss.targets ? { ...loss, targets: rowsOf(loss.targets, from, to) } : loss
          return tf.valueAndGrad((input: tf.Tensor) => lossRows(run(input), labels, spec))(
            part,
            tf.ones([labels.length]),
          )
        })
        return {
          loss: joined(
            [],
            parts.map(({ value }) => value),
          ),
          gradient: joined(
            inputShape,
            parts.map(({ grad }) => grad),
          ),
        }
      })
    },
    async vjp(x, cotangent) {
      ready(x, 'vjp')
      const expected = [x.shape[0]!, numClasses]
      if (cotangent.shape.length !== 2 || cotangent.shape.some((n, i) => n !== expected[i])) {
        throw new PerturbError(
          'bad-input',
          `vjp: expected a cotangent of shape [${expected}], got [${cotangent.shape}]`,
        )
      }
      return tf.tidy(() => {
        const gradient = (part: tf.Tensor, from: number) =>
          tf.grad(run)(part, rowsFrom(cotangent, from, part.shape[0]!))
        return joined(inputShape, inBatches(x, rowsHere().gradient, gradient))
      })
    },
    async predict(x) {
      return topClasses(await logitsArray(x), numClasses)
    },
    async weights() {
      const values = await Promise.all(current().map((tensor) => tensor.data()))
      return shapes.map(({ name, shape }, i) => ({ name, shape, values: Float32Array.from(values[i]!) }))
    },
    dispose() {
      if (disposed) return
      disposed = true
      dispose()
    },
  }

  /** Each batch is freed before the next comes, so that all are computed in the same, warm, memory. */
  function inBatches<T extends tf.TensorContainer>(
    x: tf.Tensor,
    size: number,
    compute: (part: tf.Tensor, from: number) => T,
  ): T[] {
    const rows = x.shape[0]!
    const results: T[] = []
    for (let from = 0; from < rows; from += size)
      results.push(tf.tidy(() => compute(rowsFrom(x, from, Math.min(size, rows - from)), from)))
    return results
  }
  function joined(shape: readonly number[], parts: tf.Tensor[]): tf.Tensor {
    if (parts.length === 0) return tf.zeros([0, ...shape])
    return parts.length === 1 ? parts[0]! : tf.concat(parts, 0)
  }
}

const rowsFrom = (x: tf.Tensor, from: number, count: number): tf.Tensor =>
  count === x.shape[0]
    ? x
    : tf.slice(x, [from, ...x.shape.slice(1).map(() => 0)], [count, ...x.shape.slice(1)])

const rowsOf = (labels: Labels, from: number, to: number): number[] =>
  Array.prototype.slice.call(labels, from, to)

/** Index of the largest score in each row of `scores` (N × classes, row-major); the first at a tie. */
export function topClasses(scores: ArrayLike<number>, classes: number): Int32Array {
  const top = new Int32Array(scores.length / classes)
  for (let row = 0; row < top.length; row++) {
    for (let k = 1; k < classes; k++) {
      if (scores[row * classes + k]! > scores[row * classes + top[row]!]!) top[row] = k
    }
  }
  return top
}

/** Logits (N, numClasses) of x; differentiable in x and the weights. */
export function forward({ layers }: Architecture, weights: readonly tf.Tensor[], x: tf.Tensor): tf.Tensor2D {
  let next = 0
  let h = x
  for (const layer of layers) {
    switch (layer.type) {
      case 'conv2d': {
        const [filter, bias] = [weights[next++] as tf.Tensor4D, weights[next++]!]
        const { strides = 1, padding, activation } = layer
        h = convolutionLayer(h as tf.Tensor4D, filter, bias, {
          strides,
          pad: padding,
          relu: activation === 'relu',
        })
        break
      }
      case 'maxPool':
        h = tf.maxPool(h as tf.Tensor4D, layer.size, layer.size, 'valid')
        break
      case 'flatten':
        h = tf.reshape(h, [h.shape[0]!, -1])
        break
      case 'dense': {
        const [matrix, bias] = [weights[next++] as tf.Tensor2D, weights[next++]!]
        h = denseLayer(h as tf.Tensor2D, matrix, bias, layer.activation === 'relu')
        break
      }
    }
  }
  return h as tf.Tensor2D
}
