import * as tf from '@tensorflow/tfjs-core'
import { digits, labels } from '../inputs.ts'
import { stockLogits, stockLoss, stockWeights } from '../stock-model.ts'
import type { Prepare } from '../workload.ts'

const epsilon = 0.2
const stepSize = (2.5 * epsilon) / 3

export const prepare: Prepare = async () => {
  const weights = stockWeights()
  const optimizer = tf.train.adam(0.001)
  const x = tf.tensor4d(digits(64), [64, 28, 28, 1])
  const y = labels(64)
  const work = async () => {
    let adversarial = tf.tidy(() => {
      const noise = tf.randomUniform(x.shape, -epsilon, epsilon)
      return tf.clipByValue(tf.add(x, noise), 0, 1) as tf.Tensor4D
    })
    for (let step = 0; step < 3; step++) {
      const next = tf.tidy(() => {
        const gradient = tf.grad((input) => stockLoss(stockLogits(weights, input as tf.Tensor4D), y))(
          adversarial,
        )
        const moved = tf.add(adversarial, tf.mul(tf.sign(gradient), stepSize))
        const inside = tf.clipByValue(tf.sub(moved, x), -epsilon, epsilon)
        return tf.clipByValue(tf.add(x, inside), 0, 1) as tf.Tensor4D
      })
      adversarial.dispose()
      adversarial = next
    }
    const loss = optimizer.minimize(
      () => tf.div(stockLoss(stockLogits(weights, adversarial), y), 64) as tf.Scalar,
      true,
      weights,
    )!
    await loss.data()
    tf.dispose([loss, adversarial])
  }
  await work()
  return work
}
