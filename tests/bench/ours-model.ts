import * as tf from '../../src/core/tf.ts'
import type { Architecture } from '../../src/models/model.ts'
import { createTrainer } from '../../src/models/trainer.ts'
import { initialWeights } from '../../src/models/weights.ts'
import { labels, pixels } from './inputs.ts'
import type { Workload } from './workload.ts'

/** Training steps on one network that goes on learning, or on each of `models` fresh ones; the last loss is read. */
export function trainingWork(
  architecture: Architecture,
  { batch = 64, steps = 1, models = 1 } = {},
): () => Promise<void> {
  const x = tf.tensor(pixels(batch, architecture.inputShape), [batch, ...architecture.inputShape])
  const y = labels(batch)
  const initial = initialWeights(architecture, 1)
  const kept = models === 1 ? createTrainer(architecture, initial) : undefined
  return async () => {
    for (let model = 0; model < models; model++) {
      const trainer = kept ?? createTrainer(architecture, initial)
      for (let step = 0; step < steps; step++) {
        const loss = trainer.step(x, y, 0.001)
        if (step === steps - 1) await loss.data()
        loss.dispose()
      }
      if (!kept) trainer.dispose()
    }
  }
}

export function trainingWorkload(title: string, architecture: Architecture, steps = 1, models = 1): Workload {
  return {
    title,
    async prepare() {
      const work = trainingWork(architecture, { steps, models })
      await work()
      return work
    },
  }
}
