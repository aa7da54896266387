import * as tf from '@tensorflow/tfjs-core'
import { digits } from '../inputs.ts'
import { stockLogits, stockWeights } from '../stock-model.ts'
import type { Prepare } from '../workload.ts'

export const prepare: Prepare = async () => {
  const weights = stockWeights()
  const x = tf.tensor4d(digits(1000), [1000, 28, 28, 1])
  const work = async () => {
    const top = tf.tidy(() => tf.argMax(stockLogits(weights, x), 1))
    await top.data()
    top.dispose()
  }
  await work()
  return work
}
