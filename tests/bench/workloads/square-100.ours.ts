import { square } from '../../../src/attacks/evasion/square.ts'
import { QueryLedger } from '../../../src/core/ledger.ts'
import { scoreOracle } from '../../../src/core/oracle.ts'
import * as tf from '../../../src/core/tf.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digitsCnn } from '../architectures.ts'
import { digits } from '../inputs.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'Square, 100 queries each, on 100 digits',
  async prepare() {
    const model = createModel(digitsCnn, initialWeights(digitsCnn, 1))
    const x = tf.tensor(digits(100), [100, 28, 28, 1])
    // What an untrained network reads: no budget of 0 changes it, so every row asks all its questions.
    const labels = await model.predict(x)
    const criterion = { kind: 'misclassification' as const, labels }
    const work = async () => {
      const oracle = scoreOracle(model, new QueryLedger())
      const { adversarial } = await square(oracle, x, criterion, { epsilon: 0, maxQueries: 100 }, { seed: 1 })
      await adversarial.data()
      adversarial.dispose()
    }
    await work()
    return work
  },
}
