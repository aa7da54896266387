import * as tf from '@tensorflow/tfjs-core'
import { digits } from '../inputs.ts'
import { stockLogits, stockWeights } from '../stock-model.ts'
import type { Prepare } from '../workload.ts'

/** The same 10,500 noisy copies; the bound and the quantile cost nothing beside them. */
export const prepare: Prepare = async () => {
  const weights = stockWeights()
  const x = tf.tensor4d(digits(10), [10, 28, 28, 1])
  const work = async () => {
    for (let image = 0; image < 10; image++) {
      const one = tf.slice(x, [image, 0, 0, 0], [1, 28, 28, 1])
      for (const copies of [50, 250, 250, 250, 250]) {
        const top = tf.tidy(() => {
          const noise = tf.randomNormal([copies, 28, 28, 1], 0, 0.5, 'float32', 1)
          return tf.argMax(stockLogits(weights, tf.add(one, noise)), 1)
        })
        await top.data()
        top.dispose()
      }
      one.dispose()
    }
  }
  await work()
  return work
}
