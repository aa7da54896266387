import { stripEntropies } from '../../../src/defences/detection/strip.ts'
import { recipe } from '../../../src/models/architectures.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digits } from '../inputs.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'STRIP on 100 digits, 16 pictures over each',
  async prepare() {
    const { architecture } = recipe('digits-mini')
    const model = createModel(architecture, initialWeights(architecture, 1))
    const [x, clean] = [digits(100), digits(20)]
    const work = async () => {
      await stripEntropies(model, x, clean, { overlays: 16 }, { seed: 1 })
    }
    await work()
    return work
  },
}
