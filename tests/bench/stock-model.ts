import * as tf from '@tensorflow/tfjs-core'
import { createRng } from '../../src/core/rng.ts'

const shapes = [[5, 5, 1, 8], [8], [5, 5, 8, 16], [16], [784, 10], [10]]

/** digits-cnn as a user of tfjs would write it, with initial weights. */
export function stockWeights(): tf.Variable[] {
  return shapes.map((shape, i) => {
    const rng = createRng(1, `bench/${i}`)
    const size = shape.reduce((product, n) => product * n, 1)
    return tf.variable(
      tf.tensor(
        Float32Array.from({ length: size }, () => rng.normal() * 0.1),
        shape,
      ),
    )
  })
}

export function stockLogits(weights: tf.Tensor[], x: tf.Tensor4D): tf.Tensor2D {
  const [k1, b1, k2, b2, k3, b3] = weights
  const h1 = tf.maxPool(
    tf.relu(tf.add(tf.conv2d(x, k1 as tf.Tensor4D, 1, 'same'), b1!)) as tf.Tensor4D,
    2,
    2,
    'valid',
  )
  const h2 = tf.maxPool(
    tf.relu(tf.add(tf.conv2d(h1, k2 as tf.Tensor4D, 1, 'same'), b2!)) as tf.Tensor4D,
    2,
    2,
    'valid',
  )
  return tf.add(tf.matMul(tf.reshape(h2, [x.shape[0], 784]), k3 as tf.Tensor2D), b3!)
}

/** Summed over rows. */
export function stockLoss(logits: tf.Tensor2D, y: ArrayLike<number>): tf.Scalar {
  const oneHot = tf.oneHot(tf.tensor1d(Int32Array.from(y), 'int32'), 10)
  return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), oneHot)))
}
