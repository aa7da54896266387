import * as tf from '@tensorflow/tfjs-core'
import { digits, labels } from '../inputs.ts'
import { stockLogits, stockLoss, stockWeights } from '../stock-model.ts'
import type { Prepare } from '../workload.ts'

export const prepare: Prepare = async () => {
  const weights = stockWeights()
  const x = tf.tensor4d(digits(100), [100, 28, 28, 1])
  const y = labels(100)
  const work = async () => {
    let adversarial = x
    for (let step = 0; step < 40; step++) {
      const next = tf.tidy(() => {
        const gradient = tf.grad((input) => stockLoss(stockLogits(weights, input as tf.Tensor4D), y))(
          adversarial,
        )
        const moved = tf.add(adversarial, tf.mul(tf.sign(gradient), 0.02))
        const inside = tf.clipByValue(tf.sub(moved, x), -0.2, 0.2)
        return tf.clipByValue(tf.add(x, inside), 0, 1) as tf.Tensor4D
      })
      if (adversarial !== x) adversarial.dispose()
      adversarial = next
    }
    await adversarial.data()
    adversarial.dispose()
  }
  await work()
  return work
}
