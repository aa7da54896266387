import { createTriggerSet } from '../../../src/defences/watermark/trigger-set.ts'
import { markTrial } from '../../../src/grading/watermark-trial.ts'
import { digits } from '../inputs.ts'
import { dataOfDigits } from '../ours-data.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'A watermark on trial: one marked training, three thieves',
  heavy: true,
  async prepare() {
    const data = dataOfDigits(4000, 1000)
    const triggers = createTriggerSet(digits(100), 784, { count: 100, numClasses: 10, seed: 1 })
    const work = async () => {
      await markTrial(data, triggers, { repeats: 4, seed: 1, innocents: [] })
    }
    await work()
    return work
  },
}
