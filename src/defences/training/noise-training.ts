/**
 * Training for randomised smoothing: every batch is replaced by noisy copies of itself, so that the network
 * is as sure under the noise as it was without. Lecuyer et al. 2019, §4.3, arXiv:1802.03471; Cohen, Rosenfeld,
 * Kolter 2019, §3.3, arXiv:1902.02918. Fresh noise at every step, and not clipped: the certificate
 * (../certification/randomised-smoothing.ts) counts on all of it.
 *
 * The strength that the loop ramps is here the noise's deviation σ.
 */
import type { NumberParameter } from '../../attacks/attack.ts'
import { addNoise } from '../../core/gaussian.ts'
import { createRng } from '../../core/rng.ts'
import * as tf from '../../core/tf.ts'
import type { Split } from '../../data/data-set.ts'
import { accuracy } from '../../models/accuracy.ts'
import type { Model } from '../../models/model.ts'
import { rampKnob } from './knobs.ts'
import type { TrainingRecipe } from './recipe.ts'

const noiseKnob: NumberParameter = {
  kind: 'number',
  name: 'epsilon',
  label: 'Noise',
  symbol: 'σ',
  help: 'Deviation of the noise that every training image gets, fresh each time.',
  min: 0,
  max: 1,
  step: 0.05,
  unit: '',
  scale: 'linear',
}

export const entry: TrainingRecipe = {
  id: 'noise-training',
  title: 'Noise training',
  summary: 'Add Gaussian noise to every batch, so that the network learns to read through it.',
  paper: { cite: 'Cohen et al. 2019', url: 'https://arxiv.org/abs/1902.02918' },
  defaults: { epsilon: 0.5, ramp: 0 },
  parameters: [noiseKnob, rampKnob()],
  figure: 'noisyAccuracy',
  read: async (model, test, ids, { epsilon }, { seed }) => ({
    noisyAccuracy:
      epsilon > 0
        ? await accuracyUnderNoise(model, test, ids, epsilon, seed)
        : await accuracy(model, test, ids),
  }),
  prepare: (_, x, __, { epsilon: sigma }, { seed }) => Promise.resolve(noisy(x, sigma, seed)),
}

/** x + N(0, σ²I), a new tensor. */
function noisy(x: tf.Tensor, sigma: number, seed: number): tf.Tensor {
  const noise = addNoise(new Float32Array(x.size), sigma, createRng(seed, 'noise'))
  return tf.tidy(() => tf.add(x, tf.tensor(noise, x.shape)))
}

/** Share of the images read as labelled on one noisy copy each, 0 to 1. */
export async function accuracyUnderNoise(
  model: Model,
  split: Split,
  ids: readonly number[],
  sigma: number,
  seed: number,
): Promise<number> {
  const rng = createRng(seed, 'accuracy under noise')
  let right = 0
  for (let from = 0; from < ids.length; from += 256) {
    const part = ids.slice(from, from + 256)
    const pixels = addNoise(split.pixels(part), sigma, rng)
    const x = tf.tensor(pixels, [part.length, ...model.inputShape])
    try {
      const read = await model.predict(x)
      for (const [i, id] of part.entries()) if (read[i] === split.labels[id]) right++
    } finally {
      x.dispose()
    }
  }
  return right / ids.length
}
