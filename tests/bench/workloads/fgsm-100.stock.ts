import * as tf from '@tensorflow/tfjs-core'
import { digits, labels } from '../inputs.ts'
import { stockLogits, stockLoss, stockWeights } from '../stock-model.ts'
import type { Prepare } from '../workload.ts'

export const prepare: Prepare = async () => {
  const weights = stockWeights()
  const x = tf.tensor4d(digits(100), [100, 28, 28, 1])
  const y = labels(100)
  const work = async () => {
    const adversarial = tf.tidy(() => {
      const gradient = tf.grad((input: tf.Tensor) =>
        stockLoss(stockLogits(weights, input as tf.Tensor4D), y),
      )(x)
      return tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), 0.25)), 0, 1)
    })
    await adversarial.data()
    adversarial.dispose()
  }
  await work()
  return work
}
