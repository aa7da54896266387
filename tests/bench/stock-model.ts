import * as tf from '@tensorflow/tfjs-core'
import { createRng } from '../../src/core/rng.ts'
import type { Architecture } from '../../src/models/model.ts'
import { initialWeights } from '../../src/models/weights.ts'
import { labels, pixels } from './inputs.ts'
import type { Prepare } from './workload.ts'

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

/** Weights and scores of any of our architectures, written with tfjs' own operations. */
export function stockOf(
  architecture: Architecture,
  initial = initialWeights(architecture, 1),
): {
  weights: tf.Variable[]
  logits(x: tf.Tensor): tf.Tensor2D
} {
  const weights = initial.map(({ values, shape }) => tf.variable(tf.tensor(values, shape)))
  const logits = (x: tf.Tensor) => {
    let next = 0
    let h = x
    for (const layer of architecture.layers) {
      if (layer.type === 'flatten') h = tf.reshape(h, [h.shape[0]!, -1])
      else if (layer.type === 'maxPool') h = tf.maxPool(h as tf.Tensor4D, layer.size, layer.size, 'valid')
      else {
        const [matrix, bias] = [weights[next++]!, weights[next++]!]
        const product =
          layer.type === 'conv2d'
            ? tf.conv2d(h as tf.Tensor4D, matrix as tf.Tensor4D, layer.strides ?? 1, layer.padding)
            : tf.matMul(h as tf.Tensor2D, matrix as tf.Tensor2D)
        h = tf.add(product, bias)
        if (layer.activation) h = tf.relu(h)
      }
    }
    return h as tf.Tensor2D
  }
  return { weights, logits }
}

/** The same work as trainingWorkload. */
export function stockTraining(architecture: Architecture, steps = 1, models = 1): Prepare {
  return async () => {
    const x = tf.tensor(pixels(64, architecture.inputShape), [64, ...architecture.inputShape])
    const y = labels(64)
    const initial = initialWeights(architecture, 1)
    const fresh = () => ({ ...stockOf(architecture, initial), optimizer: tf.train.adam(0.001) })
    const kept = models === 1 ? fresh() : undefined
    const work = async () => {
      for (let model = 0; model < models; model++) {
        const { weights, logits, optimizer } = kept ?? fresh()
        for (let step = 0; step < steps; step++) {
          const loss = optimizer.minimize(
            () => tf.div(stockLoss(logits(x), y), 64) as tf.Scalar,
            true,
            weights,
          )!
          if (step === steps - 1) await loss.data()
          loss.dispose()
        }
        if (kept) continue
        optimizer.dispose()
        tf.dispose(weights)
      }
    }
    await work()
    return work
  }
}
