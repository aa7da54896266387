/** The loop that every recipe shares: the house's own training, with a ramp and with readings on the way. */
import type { RunContext } from '../../core/run.ts'
import { PerturbError } from '../../core/errors.ts'
import { readOptions } from '../../attacks/check.ts'
import { createRng } from '../../core/rng.ts'
import type { DataSet, Split } from '../../data/data-set.ts'
import { accuracy } from '../../models/accuracy.ts'
import type { Architecture, Model, Weight } from '../../models/model.ts'
import { train, type HistoryPoint } from '../../models/train.ts'
import { accuracyUnderFgsm, accuracyUnderPgd } from './readings.ts'
import type { RecipeOptions, TrainingRecipe } from './recipe.ts'

export interface HardenOptions {
  recipe: TrainingRecipe
  /** The recipe's knobs, ε and ramp among them; its defaults for those left out. */
  options: Partial<RecipeOptions>
  architecture: Architecture
  /** Where to start: the model to repair. */
  weights: readonly Weight[]
  dataset: DataSet
  /** Train on this many training images, drawn by the seed; all of them by default. */
  images?: number
  epochs: number
  batchSize: number
  /** Peak of the one-cycle rate. */
  learningRate: number
  /** Readings along the way, on a few test images; 0 for none but the last, 8 by default. */
  readings?: number
  /** Steps of the PGD that is read beside FGSM; 0, the default, reads none. */
  pgdSteps?: number
  /** Ends the training after its present step, with the weights so far. */
  finish?: AbortSignal
}

/** Test images behind a live reading: enough for ±3 points, few enough not to slow the training. */
const readingImages = 200
/** PGD costs as many gradients as it has steps. */
const pgdImages = 100

/**
 * New weights and the curve: loss, and now and then cleanAccuracy, fgsmAccuracy and pgdAccuracy at the full ε
 * (0 to 1, on the first 200 or 100 test images). Throws `bad-input` or RangeError for options that make no
 * sense, `cancelled` when stopped. The same seed gives the same weights. ε 0 is ordinary training; an ε beyond the
 * pictures' range, a training set of one class and batches of one picture are trained on like any other.
 */
export async function harden(
  settings: HardenOptions,
  run: RunContext,
): Promise<{ weights: Weight[]; history: HistoryPoint[] }> {
  const { recipe, dataset, epochs, batchSize, readings = 8, pgdSteps = 0 } = settings
  const options = readOptions(recipe, settings.options) as RecipeOptions
  const { epsilon, ramp } = options
  if (!(epsilon >= 0))
    throw new PerturbError('bad-input', `${recipe.id}: epsilon must be at least 0; got ${epsilon}`)
  if (!(ramp >= 0 && ramp <= 1))
    throw new PerturbError('bad-input', `${recipe.id}: ramp must be from 0 to 1; got ${ramp}`)
  recipe.check?.(options)
  const data = settings.images === undefined ? dataset.train : drawn(dataset.train, settings.images, run.seed)
  const steps = Math.ceil(data.count / batchSize) * epochs
  return train(
    {
      ...settings,
      data,
      async adversarial(model, x, y, batchRun) {
        const present = epsilon * height(ramp, batchRun.step, batchRun.total)
        return present > 0 ? recipe.prepare(model, x, y, { ...options, epsilon: present }, batchRun) : x
      },
      evaluate: (model) => reading(model, dataset.test, recipe, options, pgdSteps, run),
      evaluateEvery: readings > 0 ? Math.max(1, Math.floor(steps / readings)) : 0,
    },
    run,
  )
}

/** How far up its ramp ε is before this step: 0 to 1, in a straight line. */
export const height = (ramp: number, step: number, total: number): number =>
  ramp > 0 ? Math.min(1, step / (ramp * total)) : 1

/** What a model is watched by: clean accuracy, and the recipe's own figure or accuracy under attack at the full ε. */
export async function reading(
  model: Model,
  test: Split,
  recipe: TrainingRecipe,
  options: RecipeOptions,
  pgdSteps: number,
  run: RunContext,
): Promise<Record<string, number>> {
  const { epsilon } = options
  const first = (count: number) => Array.from({ length: Math.min(count, test.count) }, (_, i) => i)
  const ids = first(readingImages)
  const cleanAccuracy = await accuracy(model, test, ids)
  if (recipe.read) return { cleanAccuracy, ...(await recipe.read(model, test, ids, options, run)) }
  return {
    cleanAccuracy,
    fgsmAccuracy: await accuracyUnderFgsm(model, test, ids, epsilon, run),
    ...(pgdSteps > 0
      ? {
          pgdAccuracy: await accuracyUnderPgd(
            model,
            test,
            first(pgdImages),
            { epsilon, steps: pgdSteps },
            run,
          ),
        }
      : {}),
  }
}

/** A part of a split, chosen by the seed. */
function drawn(split: Split, images: number, seed: number): Split {
  if (!(Number.isInteger(images) && images >= 1 && images <= split.count))
    throw new PerturbError(
      'bad-input',
      `images must be a whole number from 1 to the ${split.count} training images; got ${images}`,
    )
  const ids = createRng(seed, 'training images')
    .shuffle(Int32Array.from({ length: split.count }, (_, i) => i))
    .slice(0, images)
  const own = (wanted: ArrayLike<number>) => Int32Array.from(wanted, (i) => ids[i]!)
  return {
    count: images,
    labels: Uint8Array.from(ids, (id) => split.labels[id]!),
    pixels: (wanted) => split.pixels(own(wanted)),
    images: (wanted) => split.images(own(wanted)),
  }
}
