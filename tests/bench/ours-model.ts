import * as tf from '../../src/core/tf.ts'
import type { Architecture } from '../../src/models/model.ts'
import { createTrainer } from '../../src/models/trainer.ts'
import { initialWeights } from '../../src/models/weights.ts'
import { labels, pixels } from './inputs.ts'
import type { Workload } from './workload.ts'

/** Training steps on batches of 64, each of `models` networks in turn; the last loss is read. */
export function trainingWorkload(title: string, architecture: Architecture, steps = 1, models = 1): Workload {
  return {
    title,
    async prepare() {
      const x = tf.tensor(pixels(64, architecture.inputShape), [64, ...architecture.inputShape])
      const y = labels(64)
      const initial = initialWeights(architecture, 1)
      const work = async () => {
        for (let model = 0; model < models; model++) {
          const trainer = createTrainer(architecture, initial)
          for (let step = 0; step < steps; step++) {
            const loss = trainer.step(x, y, 0.001)
            if (step === steps - 1) await loss.data()
            loss.dispose()
          }
          trainer.dispose()
        }
      }
      await work()
      return work
    },
  }
}
