import * as tf from '../../core/tf.ts'
import { createTrainer } from '../../models/trainer.ts'
import { defineMethod } from '../method.ts'

/**
 * Runs one gradient and one training step of a shipped model on blank images and throws them away, so that a
 * graphics device has compiled its programs by the time somebody waits for them. Call it while a page is read.
 */
export const method = defineMethod<{ model: string }, { ms: number }>({
  name: 'warm',
  runsOn: ['engine'],
  async run({ model: name }, { signal }, workshop) {
    const started = performance.now()
    const model = await workshop.model(name)
    const { architecture, weights } = await workshop.weights(name)
    const x = tf.zeros([2, ...model.inputShape])
    const labels = new Int32Array(2)
    const owned: tf.Tensor[] = [x]
    try {
      const { loss, gradient } = await model.lossAndGradient(x, labels)
      owned.push(loss, gradient)
      await gradient.data()
      if (!signal?.aborted) {
        const trainer = createTrainer(architecture, weights)
        try {
          const trained = trainer.step(x, labels, 1e-3)
          owned.push(trained)
          await trained.data()
        } finally {
          trainer.dispose()
        }
      }
    } finally {
      tf.dispose(owned)
    }
    return { ms: performance.now() - started }
  },
})
