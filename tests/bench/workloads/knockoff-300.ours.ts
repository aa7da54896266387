import { knockoff } from '../../../src/attacks/extraction/knockoff.ts'
import { QueryLedger } from '../../../src/core/ledger.ts'
import { scoreOracle } from '../../../src/core/oracle.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digitsCnn } from '../architectures.ts'
import { digits } from '../inputs.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'A copy from 300 answers, 100 steps',
  heavy: true,
  async prepare() {
    const victim = createModel(digitsCnn, initialWeights(digitsCnn, 1))
    const means = { architecture: digitsCnn, pool: digits(300) }
    const options = { maxQueries: 300, steps: 100 }
    const work = async () => {
      await knockoff(scoreOracle(victim, new QueryLedger()), means, options, { seed: 1 })
    }
    await work()
    return work
  },
}
