import type { Labels } from './classifier.ts'
import { PerturbError } from './errors.ts'
import * as tf from './tf.ts'

/**
 * Losses an attack may climb. Data, so that the same request crosses the sandbox port.
 * - cross-entropy: −log softmax(z)[y].
 * - margin: max_{i≠y} z_i − z_y (positive once misread); Carlini & Wagner 2017, §V.A, f6 without the hinge.
 * - dlr: difference of logits ratio, Croce & Hein 2020, eq. 6 (targeted: eq. 7).
 */
export type LossSpec =
  | { readonly kind: 'cross-entropy' }
  | { readonly kind: 'margin' }
  | { readonly kind: 'dlr'; readonly targets?: ArrayLike<number> }

export const crossEntropy: LossSpec = { kind: 'cross-entropy' }

/**
 * The loss of each row: logits (N, C), labels y → (N). Differentiable in the logits; at ties the gradient
 * goes through the first of the tied classes. Throws PerturbError `bad-input` for labels that do not fit,
 * for DLR with fewer than three classes (targeted: four), and for an unknown kind.
 */
export function lossRows(logits: tf.Tensor2D, y: Labels, spec: LossSpec = crossEntropy): tf.Tensor1D {
  const [rows, classes] = logits.shape
  checkLabels(y, rows, classes, 'y')
  switch (spec.kind) {
    case 'cross-entropy':
      return crossEntropyRows(logits, y)
    case 'margin':
      return tf.tidy(() => {
        const rival = tf.argMax(withoutClass(logits, y), 1) as tf.Tensor1D
        return tf.sub(pick(logits, rival), pick(logits, indices(y)))
      })
    case 'dlr':
      return spec.targets ? targetedDlr(logits, y, spec.targets) : dlr(logits, y)
    default:
      throw new PerturbError(
        'bad-input',
        `loss: no kind "${(spec as LossSpec).kind}"; there are cross-entropy, margin, dlr`,
      )
  }
}

/** Throws `bad-input` unless y holds one whole class number for each of `rows` rows. */
export function checkLabels(y: Labels, rows: number, classes: number, name: string): void {
  if (y.length !== rows)
    throw new PerturbError('bad-input', `${name}: expected ${rows} labels, one a row; got ${y.length}`)
  for (let i = 0; i < rows; i++) {
    if (!Number.isInteger(y[i]) || y[i]! < 0 || y[i]! >= classes) {
      throw new PerturbError(
        'bad-input',
        `${name}[${i}]: expected a class from 0 to ${classes - 1}, got ${y[i]}`,
      )
    }
  }
}

const indices = (y: Labels) => tf.tensor1d(Int32Array.from(y), 'int32')
const oneHot = (index: tf.Tensor1D, classes: number) => tf.cast(tf.oneHot(index, classes), 'float32')

/** logits[i, index[i]] for each row. */
const pick = (logits: tf.Tensor2D, index: tf.Tensor1D): tf.Tensor1D =>
  tf.sum(tf.mul(logits, oneHot(index, logits.shape[1])), 1)

const withoutClass = (logits: tf.Tensor2D, y: Labels) =>
  tf.where(tf.cast(tf.oneHot(indices(y), logits.shape[1]), 'bool'), tf.fill(logits.shape, -3e38), logits)

/** Its gradient softmax − onehot is given by hand: through logSumExp it would carry rounding noise. */
const crossEntropyRows = (logits: tf.Tensor2D, y: Labels): tf.Tensor1D =>
  tf.customGrad((z, save) => {
    const truth = oneHot(indices(y), logits.shape[1])
    const shifted = tf.sub(z as tf.Tensor, tf.max(z as tf.Tensor, 1, true))
    const value = tf.sub(tf.log(tf.sum(tf.exp(shifted), 1)), tf.sum(tf.mul(shifted, truth), 1))
    ;(save as tf.GradSaveFunc)([tf.sub(tf.softmax(z as tf.Tensor2D), truth)])
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(tf.expandDims(dy, 1), saved[0]!)
    return { value, gradFunc }
  })(logits) as tf.Tensor1D

/**
 * The k largest classes of each row, largest first: k index vectors. By repeated argMax, because tfjs has
 * no gradient for topk, not even the zero one of an index.
 */
function ranking(logits: tf.Tensor2D, k: number): tf.Tensor1D[] {
  const classes = logits.shape[1]
  if (classes < k) throw new PerturbError('bad-input', `dlr: needs at least ${k} classes, got ${classes}`)
  const order: tf.Tensor1D[] = []
  for (let rest = logits; order.length < k; ) {
    const top = tf.argMax(rest, 1) as tf.Tensor1D
    order.push(top)
    rest = tf.where(tf.cast(oneHot(top, classes), 'bool'), tf.fill(rest.shape, -3e38), rest)
  }
  return order
}

const dlr = (logits: tf.Tensor2D, y: Labels): tf.Tensor1D =>
  tf.tidy(() => {
    const [first, , third] = ranking(logits, 3)
    const rival = tf.argMax(withoutClass(logits, y), 1) as tf.Tensor1D
    const lead = tf.sub(pick(logits, indices(y)), pick(logits, rival))
    const spread = tf.add(tf.sub(pick(logits, first!), pick(logits, third!)), 1e-12)
    return tf.neg(tf.div(lead, spread))
  })

const targetedDlr = (logits: tf.Tensor2D, y: Labels, targets: Labels): tf.Tensor1D =>
  tf.tidy(() => {
    checkLabels(targets, logits.shape[0], logits.shape[1], 'targets')
    const [first, , third, fourth] = ranking(logits, 4)
    const lead = tf.sub(pick(logits, indices(y)), pick(logits, indices(targets)))
    const middle = tf.mul(tf.add(pick(logits, third!), pick(logits, fourth!)), 0.5)
    return tf.neg(tf.div(lead, tf.add(tf.sub(pick(logits, first!), middle), 1e-12)))
  })
