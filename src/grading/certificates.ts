/**
 * What the referee needs to judge a promise of robustness: votes of its own under fresh noise, and an attack
 * that looks for a counterexample. Everything from trusted pixels; nothing of it is left behind.
 */
import { pgd } from '../attacks/evasion/pgd.ts'
import { createRng } from '../core/rng.ts'
import * as tf from '../core/tf.ts'
import { sampleUnderNoise } from '../defences/certification/randomised-smoothing.ts'
import { underNoise } from '../defences/certification/under-noise.ts'
import type { Model } from '../models/model.ts'

/** Votes of each image's n noisy copies, by class. `pixels`: row-major, as many images as fit. */
export async function votesUnderNoise(
  model: Model,
  pixels: Float32Array,
  noise: { sigma: number; n: number },
  seed: number,
): Promise<Int32Array[]> {
  const size = model.inputShape.reduce((product, side) => product * side, 1)
  const x = tf.tensor(pixels, [pixels.length / size, ...model.inputShape], 'float32')
  try {
    return await sampleUnderNoise(model, x, noise, { seed })
  } finally {
    x.dispose()
  }
}

/**
 * One image moved by at most `epsilon` in L2, away from `label` as the noisy copies see it: PGD on the mean
 * gradient of `draws` copies a step (expectation over transformations).
 */
export async function attackUnderNoise(
  model: Model,
  image: Float32Array,
  label: number,
  {
    sigma,
    epsilon,
    steps = 12,
    draws = 16,
  }: { sigma: number; epsilon: number; steps?: number; draws?: number },
  seed: number,
): Promise<Float32Array> {
  const rng = createRng(seed, 'attack under noise')
  const x = tf.tensor(image, [1, ...model.inputShape], 'float32')
  try {
    const { adversarial } = await pgd(
      underNoise(model, { sigma, samples: draws }, rng.uint32()),
      x,
      { kind: 'misclassification', labels: [label] },
      { norm: 'l2', epsilon, steps, stepSize: (2.5 * epsilon) / steps, randomStart: false, restarts: 0 },
      { seed: rng.uint32() },
    )
    try {
      return (await adversarial.data()) as Float32Array
    } finally {
      adversarial.dispose()
    }
  } finally {
    x.dispose()
  }
}
