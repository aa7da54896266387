import * as tf from '@tensorflow/tfjs-core'
import { digits, labels } from '../inputs.ts'
import { stockLogits, stockLoss, stockWeights } from '../stock-model.ts'
import type { Prepare } from '../workload.ts'

/** As tfjs' own examples train: the loss is read after each batch. */
export const prepare: Prepare = async () => {
  const all = digits(8000)
  const y = labels(8000)
  const step = async (weights: tf.Variable[], optimizer: tf.Optimizer, from: number) => {
    const x = tf.tensor4d(all.slice(from * 784, (from + 64) * 784), [64, 28, 28, 1])
    const rows = y.subarray(from, from + 64)
    const loss = optimizer.minimize(
      () => tf.div(stockLoss(stockLogits(weights, x), rows), 64) as tf.Scalar,
      true,
      weights,
    )!
    await loss.data()
    tf.dispose([x, loss])
  }
  const epoch = async (batches: number) => {
    const weights = stockWeights()
    const optimizer = tf.train.adam(0.001)
    for (let batch = 0; batch < batches; batch++) await step(weights, optimizer, batch * 64)
    optimizer.dispose()
    tf.dispose(weights)
  }
  await epoch(1)
  return () => epoch(125)
}
