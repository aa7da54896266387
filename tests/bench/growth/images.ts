import { fgsm } from '../../../src/attacks/evasion/fgsm.ts'
import * as tf from '../../../src/core/tf.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digitsCnn } from '../architectures.ts'
import { digits, labels } from '../inputs.ts'
import type { Growth } from '../workload.ts'

export const growth: Growth = {
  title: 'FGSM',
  unit: 'images',
  sizes: [125, 250, 500, 1000, 2000],
  async prepare(size) {
    const model = createModel(digitsCnn, initialWeights(digitsCnn, 1))
    const x = tf.tensor(digits(size), [size, 28, 28, 1])
    const criterion = { kind: 'misclassification' as const, labels: labels(size) }
    return async () => {
      const { adversarial } = await fgsm(model, x, criterion, { epsilon: 0.25 }, { seed: 1 })
      await adversarial.data()
      adversarial.dispose()
    }
  },
}
