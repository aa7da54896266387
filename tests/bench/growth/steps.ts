import { pgd } from '../../../src/attacks/evasion/pgd.ts'
import * as tf from '../../../src/core/tf.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digitsCnn } from '../architectures.ts'
import { digits, labels } from '../inputs.ts'
import type { Growth } from '../workload.ts'

export const growth: Growth = {
  title: 'PGD on 32 digits',
  unit: 'steps',
  sizes: [5, 10, 20, 40, 80],
  async prepare(steps) {
    const model = createModel(digitsCnn, initialWeights(digitsCnn, 1))
    const x = tf.tensor(digits(32), [32, 28, 28, 1])
    const criterion = { kind: 'misclassification' as const, labels: labels(32) }
    return async () => {
      const { adversarial } = await pgd(
        model,
        x,
        criterion,
        { epsilon: 0.2, steps, stepSize: 0.02 },
        { seed: 1 },
      )
      await adversarial.data()
      adversarial.dispose()
    }
  },
}
