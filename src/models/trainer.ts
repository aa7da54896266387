import type { Labels } from '../core/classifier.ts'
import { PerturbError } from '../core/errors.ts'
import { checkLabels, lossRows } from '../core/losses.ts'
import * as tf from '../core/tf.ts'
import type { Architecture, Model, Weight } from './model.ts'
import { forward, modelOver, uploadWeights } from './network.ts'

/** Adam's constants (Kingma & Ba 2015, Alg. 1). */
const beta1 = 0.9
const beta2 = 0.999
const epsilon = 1e-8

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
  weights(): Promise<Weight[]>
  dispose(): void
}

/** Starts from the given weights, which are copied. Dispose the trainer, not its model. */
export function createTrainer(architecture: Architecture, initial: readonly Weight[]): Trainer {
  const { inputShape, numClasses } = architecture
  let weights = uploadWeights(architecture, initial)
  let means = weights.map((weight) => tf.keep(tf.zerosLike(weight)))
  let variances = weights.map((weight) => tf.keep(tf.zerosLike(weight)))
  let steps = 0
  let beta1Power = 1
  let beta2Power = 1
  const model = modelOver(
    architecture,
    () => weights,
    () => tf.dispose([weights, means, variances]),
  )

  return {
    model,
    get steps() {
      return steps
    },
    step(x, y, learningRate) {
      if (
        x.shape.length !== inputShape.length + 1 ||
        inputShape.some((n, i) => x.shape[i + 1] !== n) ||
        x.shape[0] === 0
      ) {
        throw new PerturbError(
          'bad-input',
          `train step: expected x of shape [N,${inputShape}], got [${x.shape}]`,
        )
      }
      checkLabels(y, x.shape[0]!, numClasses, 'y')
      steps++
      beta1Power *= beta1
      beta2Power *= beta2
      // Adam's two bias corrections, folded into the rate (Alg. 1, remark before §2.1).
      const rate = (learningRate * Math.sqrt(1 - beta2Power)) / (1 - beta1Power)
      const old = [...weights, ...means, ...variances]
      const updated = tf.tidy(() => {
        const { value, grads } = tf.valueAndGrads((...current: tf.Tensor[]) =>
          tf.mean(lossRows(forward(architecture, current, x), y)),
        )(weights)
        const nextMeans = means.map((mean, i) => tf.add(tf.mul(mean, beta1), tf.mul(grads[i]!, 1 - beta1)))
        const nextVariances = variances.map((variance, i) =>
          tf.add(tf.mul(variance, beta2), tf.mul(tf.square(grads[i]!), 1 - beta2)),
        )
        const nextWeights = weights.map((weight, i) =>
          tf.sub(weight, tf.div(tf.mul(nextMeans[i]!, rate), tf.add(tf.sqrt(nextVariances[i]!), epsilon))),
        )
        return { loss: value as tf.Scalar, nextWeights, nextMeans, nextVariances }
      })
      weights = updated.nextWeights.map((weight) => tf.keep(weight))
      means = updated.nextMeans.map((mean) => tf.keep(mean))
      variances = updated.nextVariances.map((variance) => tf.keep(variance))
      tf.dispose(old)
      return updated.loss
    },
    weights: () => model.weights(),
    dispose: () => model.dispose(),
  }
}
