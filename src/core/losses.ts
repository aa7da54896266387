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
      return withGradient(logits, (z) => crossEntropyRows(z, y))
    case 'margin':
      return withGradient(logits, (z) => {
        const { lead, gradient } = leadOver(z, rival(z, y), indices(y))
        return { value: lead, gradient }
      })
    case 'dlr':
      if (spec.targets) checkLabels(spec.targets, rows, classes, 'targets')
      if (classes < (spec.targets ? 4 : 3)) {
        throw new PerturbError(
          'bad-input',
          `dlr: needs at least ${spec.targets ? 4 : 3} classes, got ${classes}`,
        )
      }
      return withGradient(logits, (z) => dlrRows(z, y, spec.targets))
    default:
      throw new PerturbError(
        'bad-input',
        `loss: no kind "${(spec as LossSpec).kind}"; there are cross-entropy, margin, dlr`,
      )
  }
}

/**
 * Cross-entropy towards probabilities instead of a class: −Σ target · log softmax(z), a row. logits and targets (N, C) →
 * (N). Differentiable in the logits. What a student learns from a teacher's answers (Hinton et al. 2015, arXiv:1503.02531).
 */
export function softCrossEntropyRows(logits: tf.Tensor2D, targets: tf.Tensor2D): tf.Tensor1D {
  if (logits.shape.join() !== targets.shape.join())
    throw new PerturbError(
      'bad-input',
      `softCrossEntropyRows: expected targets of shape [${logits.shape}]; got [${targets.shape}]`,
    )
  return withGradient(logits, (z) => {
    const shifted = tf.sub(z, tf.max(z, 1, true))
    const all = tf.sum(targets, 1, true)
    const logSum = tf.log(tf.sum(tf.exp(shifted), 1, true))
    return {
      value: tf.sum(tf.mul(targets, tf.sub(logSum, shifted)), 1),
      gradient: tf.sub(tf.mul(all, tf.softmax(z)), targets),
    }
  })
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

/** A loss (N) and its gradient by the logits (N, C). */
interface Rows {
  value: tf.Tensor
  gradient: tf.Tensor
}

/**
 * Gives a loss its gradient by hand: shorter than a tape, free of rounding noise, and tfjs has no gradient
 * for sorting.
 */
const withGradient = (logits: tf.Tensor2D, compute: (z: tf.Tensor2D) => Rows): tf.Tensor1D =>
  tf.customGrad((z, save) => {
    const { value, gradient } = compute(z as tf.Tensor2D)
    ;(save as tf.GradSaveFunc)([gradient])
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(tf.expandDims(dy, 1), saved[0]!) }
  })(logits) as tf.Tensor1D

const indices = (y: Labels) => tf.tensor1d(Int32Array.from(y), 'int32')
const oneHot = (index: tf.Tensor, classes: number) => tf.cast(tf.oneHot(index, classes), 'float32')
const asColumn = (rows: tf.Tensor) => tf.expandDims(rows, 1)

function crossEntropyRows(z: tf.Tensor2D, y: Labels): Rows {
  if (tf.getKernel('CrossEntropy', tf.getBackend())) {
    const [rows, classes] = z.shape
    const both = tf.engine().runKernel('CrossEntropy', { z, y: indices(y) }) as tf.Tensor2D
    return {
      value: tf.reshape(tf.slice(both, [0, classes], [rows, 1]), [rows]),
      gradient: tf.slice(both, [0, 0], [rows, classes]),
    }
  }
  const truth = oneHot(indices(y), z.shape[1])
  const shifted = tf.sub(z, tf.max(z, 1, true))
  const value = tf.sub(tf.log(tf.sum(tf.exp(shifted), 1)), tf.sum(tf.mul(shifted, truth), 1))
  return { value, gradient: tf.sub(tf.softmax(z), truth) }
}

/** The best class other than y: (N), int32. */
function rival(z: tf.Tensor2D, y: Labels): tf.Tensor {
  const isTruth = tf.cast(tf.oneHot(indices(y), z.shape[1]), 'bool')
  return tf.argMax(tf.where(isTruth, tf.fill(z.shape, -3e38), z), 1)
}

/** z_first − z_second, and its gradient. */
function leadOver(
  z: tf.Tensor2D,
  first: tf.Tensor,
  second: tf.Tensor,
): { lead: tf.Tensor; gradient: tf.Tensor } {
  const gradient = tf.sub(oneHot(first, z.shape[1]), oneHot(second, z.shape[1]))
  return { lead: tf.sum(tf.mul(z, gradient), 1), gradient }
}

/** −lead / spread, with the lead over the best other class or the target, and the spread of the top classes. */
function dlrRows(z: tf.Tensor2D, y: Labels, targets?: Labels): Rows {
  const classes = z.shape[1]
  const ranked = tf.unstack(tf.topk(z, targets ? 4 : 3).indices, 1).map((index) => oneHot(index, classes))
  const lower = targets ? tf.mul(tf.add(ranked[2]!, ranked[3]!), 0.5) : ranked[2]!
  const spreadGradient = tf.sub(ranked[0]!, lower)
  const spread = tf.add(tf.sum(tf.mul(z, spreadGradient), 1), 1e-12)
  const { lead, gradient } = leadOver(z, indices(y), targets ? indices(targets) : rival(z, y))
  const byLead = tf.div(gradient, asColumn(tf.neg(spread)))
  const bySpread = tf.mul(asColumn(tf.div(lead, tf.square(spread))), spreadGradient)
  return { value: tf.neg(tf.div(lead, spread)), gradient: tf.add(byLead, bySpread) }
}
