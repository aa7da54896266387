import * as tf from '../../../src/core/tf.ts'
import { recipe } from '../../../src/models/architectures.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digits } from '../inputs.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'Reading 1,000 digits',
  budgetMs: { wasm: 300 },
  async prepare() {
    const { architecture } = recipe('digits-cnn')
    const model = createModel(architecture, initialWeights(architecture, 1))
    const x = tf.tensor(digits(1000), [1000, 28, 28, 1])
    const work = async () => {
      await model.predict(x)
    }
    await work()
    return work
  },
}
