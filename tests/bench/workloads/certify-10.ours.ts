import { certify } from '../../../src/defences/certification/randomised-smoothing.ts'
import * as tf from '../../../src/core/tf.ts'
import { recipe } from '../../../src/models/architectures.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digits } from '../inputs.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'Certifying 10 digits, 1,000 noisy copies each',
  async prepare() {
    const { architecture } = recipe('digits-cnn')
    const model = createModel(architecture, initialWeights(architecture, 1))
    const x = tf.tensor(digits(10), [10, 28, 28, 1])
    const work = async () => {
      await certify(model, x, { sigma: 0.5, n0: 50, n: 1000, alpha: 0.001 }, { seed: 1 })
    }
    await work()
    return work
  },
}
