import * as tf from '../../../src/core/tf.ts'
import { train } from '../../../src/models/train.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digitsCnn } from '../architectures.ts'
import { digits, labels } from '../inputs.ts'
import type { Workload } from '../workload.ts'

const count = 8000

export const workload: Workload = {
  title: 'One epoch of digits-cnn, 8,000 digits',
  heavy: true,
  async prepare() {
    const all = digits(count)
    const pixels = (ids: ArrayLike<number>) => {
      const some = new Float32Array(ids.length * 784)
      for (let i = 0; i < ids.length; i++) some.set(all.subarray(ids[i]! * 784, (ids[i]! + 1) * 784), i * 784)
      return some
    }
    const data = {
      count,
      labels: Uint8Array.from(labels(count)),
      pixels,
      images: (ids: ArrayLike<number>) => tf.tensor(pixels(ids), [ids.length, 28, 28, 1]),
    }
    const start = {
      architecture: digitsCnn,
      weights: initialWeights(digitsCnn, 1),
      data,
      epochs: 1,
      batchSize: 64,
    }
    return async () => {
      await train({ ...start, learningRate: 0.001 }, { seed: 1 })
    }
  },
}
