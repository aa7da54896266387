import { fgsm } from '../../../src/attacks/evasion/fgsm.ts'
import * as tf from '../../../src/core/tf.ts'
import { recipe } from '../../../src/models/architectures.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digits, labels } from '../inputs.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'FGSM on 100 digits',
  budgetMs: { wasm: 300 },
  async prepare() {
    const { architecture } = recipe('digits-cnn')
    const model = createModel(architecture, initialWeights(architecture, 1))
    const x = tf.tensor(digits(100), [100, 28, 28, 1])
    const criterion = { kind: 'misclassification' as const, labels: labels(100) }
    const work = async () => {
      const { adversarial } = await fgsm(model, x, criterion, { epsilon: 0.25 }, { seed: 1 })
      await adversarial.data()
      adversarial.dispose()
    }
    await work()
    return work
  },
}
