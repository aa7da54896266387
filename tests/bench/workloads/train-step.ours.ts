import * as tf from '../../../src/core/tf.ts'
import { recipe } from '../../../src/models/architectures.ts'
import { createTrainer } from '../../../src/models/trainer.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digits, labels } from '../inputs.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'One training step, 64 digits',
  async prepare() {
    const { architecture } = recipe('digits-cnn')
    const trainer = createTrainer(architecture, initialWeights(architecture, 1))
    const x = tf.tensor(digits(64), [64, 28, 28, 1])
    const y = labels(64)
    const work = async () => {
      const loss = trainer.step(x, y, 0.001)
      await loss.data()
      loss.dispose()
    }
    await work()
    return work
  },
}
