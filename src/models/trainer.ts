import type { Labels } from '../core/classifier.ts'
import { adamStep } from '../core/adam.ts'
import { PerturbError } from '../core/errors.ts'
import { checkLabels, lossRows } from '../core/losses.ts'
import * as tf from '../core/tf.ts'
import type { Architecture, Model, Weight } from './model.ts'
import { forward, modelOver, uploadWeights } from './network.ts'

/** Adam's constants (Kingma & Ba 2015, Alg. 1). */
const beta1 = 0.9
const beta2 = 0.999
const epsilon = 1e-8

/** A loss to go down, from the logits of a step's rows: a scalar that tfjs can differentiate. */
export type BatchLoss = (logits: tf.Tensor2D) => tf.Scalar

/** A network in training. Its model always answers with the newest weights. */
export interface Trainer {
  readonly model: Model
  /** Steps taken. */
  readonly steps: number
  /**
   * One Adam step on the mean cross-entropy of (x, y); x is borrowed. Resolves with that mean, as a scalar
   * tensor of the caller's: reading it at every step would stall a GPU. Throws `bad-input` when x or y
   * does not fit.
   */
  step(x: tf.Tensor, y: Labels, learningRate: number): tf.Scalar
  /** One Adam step on a loss of one's own, e.g. one that sees clean and attacked rows together. */
  stepOn(x: tf.Tensor, loss: BatchLoss, learningRate: number): tf.Scalar
  weights(): Promise<Weight[]>
  dispose(): void
}

/** Starts from the given weights, which are copied. Dispose the trainer, not its model. */
export function createTrainer(architecture: Architecture, initial: readonly Weight[]): Trainer {
  const { inputShape, numClasses } = architecture
  let weights = uploadWeights(architecture, initial)
  /** Weights, means and variances, each flat. */
  let state = tf.tidy(() => {
    const flat = flatten(weights)
    return tf.keep(tf.concat1d([flat, tf.zeros([2 * flat.size])]))
  })
  let steps = 0
  let beta1Power = 1
  let beta2Power = 1
  const model = modelOver(
    architecture,
    () => weights,
    () => tf.dispose([weights, state]),
  )

  return {
    model,
    get steps() {
      return steps
    },
    step(x, y, learningRate) {
      checkRows(x)
      checkLabels(y, x.shape[0]!, numClasses, 'y')
      return descend(x, (logits) => tf.mean(lossRows(logits, y)), learningRate)
    },
    stepOn(x, loss, learningRate) {
      checkRows(x)
      return descend(x, loss, learningRate)
    },
    weights: () => model.weights(),
    dispose: () => model.dispose(),
  }

  function checkRows(x: tf.Tensor): void {
    const fits =
      x.shape.length === inputShape.length + 1 &&
      inputShape.every((n, i) => x.shape[i + 1] === n) &&
      x.shape[0]! > 0
    if (!fits)
      throw new PerturbError(
        'bad-input',
        `train step: expected x of shape [N,${inputShape}], got [${x.shape}]`,
      )
  }

  function descend(x: tf.Tensor, lossOf: BatchLoss, learningRate: number): tf.Scalar {
    steps++
    beta1Power *= beta1
    beta2Power *= beta2
    // Adam's two bias corrections, folded into the rate (Alg. 1, remark before §2.1).
    const rate = (learningRate * Math.sqrt(1 - beta2Power)) / (1 - beta1Power)
    const old = [...weights, state]
    const updated = tf.tidy(() => {
      const { value, grads } = tf.valueAndGrads((...current: tf.Tensor[]) =>
        lossOf(forward(architecture, current, x)),
      )(weights)
      const next = adamStep(state, flatten(grads), { beta1, beta2, epsilon, rate })
      let from = 0
      const nextWeights = weights.map(({ size, shape }) => {
        const flat = tf.slice(next, from, size)
        from += size
        return tf.reshape(flat, shape)
      })
      return { loss: value as tf.Scalar, nextWeights, next }
    })
    weights = updated.nextWeights.map((weight) => tf.keep(weight))
    state = tf.keep(updated.next)
    tf.dispose(old)
    return updated.loss
  }
}

const flatten = (tensors: tf.Tensor[]): tf.Tensor1D =>
  tf.concat1d(tensors.map((tensor) => tf.reshape(tensor, [-1]) as tf.Tensor1D))
