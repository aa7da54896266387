import type { EvasionEntry, Options } from '../../src/attacks/attack.ts'
import { runEvasion } from '../../src/attacks/run-evasion.ts'
import type { WhiteBoxAccess } from '../../src/core/classifier.ts'
import * as tf from '../../src/core/tf.ts'
import type { TrainingRecipe } from '../../src/defences/training/recipe.ts'
import { createModel } from '../../src/models/network.ts'
import { createTrainer } from '../../src/models/trainer.ts'
import { initialWeights } from '../../src/models/weights.ts'
import { digitsCnn } from './architectures.ts'
import { digits, labels } from './inputs.ts'
import type { Workload } from './workload.ts'

interface Settings {
  images?: number
  options: Options
  /** What the attack needs beside options: a surrogate, for one. */
  beside?(): Record<string, unknown>
}

/**
 * An evasion attack on digits, led away from what a fresh network reads in them: a row that is misread from the start
 * would cost nothing.
 */
export function attackWorkload(
  title: string,
  entry: EvasionEntry,
  { images = 100, options, beside }: Settings,
): Workload {
  return {
    title: `${title}, on ${images} digits`,
    heavy: true,
    async prepare() {
      const model = createModel(digitsCnn, initialWeights(digitsCnn, 1))
      const x = tf.tensor(digits(images), [images, 28, 28, 1])
      const criterion = { kind: 'misclassification' as const, labels: await model.predict(x) }
      const given = { ...options, ...beside?.() } as Options
      const work = async () => {
        const { adversarial } = await runEvasion(entry, model, x, criterion, given, { seed: 1 })
        await adversarial.data()
        adversarial.dispose()
      }
      await work()
      return work
    },
  }
}

/** The attacker's own model: other weights, the same shape. */
export const surrogate = (): WhiteBoxAccess => createModel(digitsCnn, initialWeights(digitsCnn, 2))

/** What one batch costs in a training that withstands attack: what it is turned into, and the step on that. */
export function recipeWorkload(
  recipe: TrainingRecipe,
  { name = recipe.title, heavy = true, ...turned }: { name?: string; heavy?: boolean; epsilon?: number } = {},
): Workload {
  return {
    title: `One step of ${name}, 64 digits`,
    heavy,
    async prepare() {
      const trainer = createTrainer(digitsCnn, initialWeights(digitsCnn, 1))
      const x = tf.tensor(digits(64), [64, 28, 28, 1])
      const y = labels(64)
      const options = { ...recipe.defaults, ...turned }
      const work = async () => {
        const made = await recipe.prepare(trainer.model, x, y, options, { seed: 1, step: 0, total: 1 })
        const loss =
          made instanceof tf.Tensor ? trainer.step(made, y, 0.001) : trainer.stepOn(made.x, made.loss, 0.001)
        await loss.data()
        tf.dispose([loss, made instanceof tf.Tensor ? made : made.x])
      }
      await work()
      return work
    },
  }
}
