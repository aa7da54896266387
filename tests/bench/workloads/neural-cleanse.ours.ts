import { recoverTrigger } from '../../../src/defences/detection/neural-cleanse.ts'
import { recipe } from '../../../src/models/architectures.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digits } from '../inputs.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'Neural Cleanse, 30 steps for one class',
  async prepare() {
    const { architecture } = recipe('digits-mini')
    const model = createModel(architecture, initialWeights(architecture, 1))
    const images = digits(100)
    const work = async () => {
      await recoverTrigger(model, images, 3, { steps: 30 }, { seed: 1 })
    }
    await work()
    return work
  },
}
