import { fab } from '../../../src/attacks/evasion/fab.ts'
import * as tf from '../../../src/core/tf.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digitsCnn } from '../architectures.ts'
import { digits } from '../inputs.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'FAB in L2, 10 steps to the nearest of 4 borders, on 100 digits',
  async prepare() {
    const model = createModel(digitsCnn, initialWeights(digitsCnn, 1))
    const x = tf.tensor(digits(100), [100, 28, 28, 1])
    // Led away from what it reads: a row that is misread from the start would cost nothing.
    const labels = await model.predict(x)
    const options = { norm: 'l2', steps: 10, classes: 4 } as const
    const work = async () => {
      const { adversarial } = await fab(model, x, { kind: 'misclassification', labels }, options, { seed: 1 })
      await adversarial.data()
      adversarial.dispose()
    }
    await work()
    return work
  },
}
