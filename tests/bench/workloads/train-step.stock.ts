import * as tf from '@tensorflow/tfjs-core'
import { digits, labels } from '../inputs.ts'
import { stockLogits, stockLoss, stockWeights } from '../stock-model.ts'
import type { Prepare } from '../workload.ts'

export const prepare: Prepare = async () => {
  const weights = stockWeights()
  const optimizer = tf.train.adam(0.001)
  const x = tf.tensor4d(digits(64), [64, 28, 28, 1])
  const y = labels(64)
  const work = async () => {
    const loss = optimizer.minimize(
      () => tf.div(stockLoss(stockLogits(weights, x), y), 64) as tf.Scalar,
      true,
      weights,
    )!
    await loss.data()
    loss.dispose()
  }
  await work()
  return work
}
