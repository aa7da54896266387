import { entry } from '../../../src/defences/training/pgd-training.ts'
import * as tf from '../../../src/core/tf.ts'
import { createTrainer } from '../../../src/models/trainer.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { digitsCnn } from '../architectures.ts'
import { digits, labels } from '../inputs.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'One step of PGD-3 training, 64 digits',
  async prepare() {
    const trainer = createTrainer(digitsCnn, initialWeights(digitsCnn, 1))
    const x = tf.tensor(digits(64), [64, 28, 28, 1])
    const y = labels(64)
    const options = { ...entry.defaults, epsilon: 0.2 }
    const work = async () => {
      const adversarial = (await entry.prepare(trainer.model, x, y, options, {
        seed: 1,
        step: 0,
        total: 1,
      })) as tf.Tensor
      const loss = trainer.step(adversarial, y, 0.001)
      await loss.data()
      tf.dispose([loss, adversarial])
    }
    await work()
    return work
  },
}
