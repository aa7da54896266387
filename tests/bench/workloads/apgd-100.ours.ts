import { apgd } from '../../../src/attacks/evasion/apgd.ts'
import * as tf from '../../../src/core/tf.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digitsCnn } from '../architectures.ts'
import { digits, labels } from '../inputs.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'Auto-PGD, DLR, 40 steps, on 100 digits',
  async prepare() {
    const model = createModel(digitsCnn, initialWeights(digitsCnn, 1))
    const x = tf.tensor(digits(100), [100, 28, 28, 1])
    const criterion = { kind: 'misclassification' as const, labels: labels(100) }
    // A budget that fools nobody: no row is done early, and every step is paid for.
    const options = { epsilon: 1e-6, steps: 40, loss: 'dlr' as const }
    const work = async () => {
      const { adversarial } = await apgd(model, x, criterion, options, { seed: 1 })
      await adversarial.data()
      adversarial.dispose()
    }
    await work()
    return work
  },
}
