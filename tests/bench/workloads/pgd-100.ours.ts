import { pgd } from '../../../src/attacks/evasion/pgd.ts'
import * as tf from '../../../src/core/tf.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digitsCnn } from '../architectures.ts'
import { digits, labels } from '../inputs.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'PGD, 40 steps, on 100 digits',
  async prepare() {
    const model = createModel(digitsCnn, initialWeights(digitsCnn, 1))
    const x = tf.tensor(digits(100), [100, 28, 28, 1])
    const criterion = { kind: 'misclassification' as const, labels: labels(100) }
    const options = { epsilon: 0.2, steps: 40, stepSize: 0.02 }
    const work = async () => {
      const { adversarial } = await pgd(model, x, criterion, options, { seed: 1 })
      await adversarial.data()
      adversarial.dispose()
    }
    await work()
    return work
  },
}
