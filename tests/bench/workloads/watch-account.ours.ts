import { watchAccount } from '../../../src/engine/methods/watch-account.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digitsCnn } from '../architectures.ts'
import { dataOfDigits } from '../ours-data.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'One account: 400 questions of Papernot’s augmentation, asked and watched',
  heavy: true,
  async prepare() {
    const data = dataOfDigits(100, 100)
    const means = { model: createModel(digitsCnn, initialWeights(digitsCnn, 1)), data, foreign: data }
    const work = async () => {
      await watchAccount({ kind: 'jacobian', seed: 1, rows: 400 }, means, async () => undefined)
    }
    await work()
    return work
  },
}
