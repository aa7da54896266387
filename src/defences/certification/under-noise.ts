import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { addNoise } from '../../core/gaussian.ts'
import { createRng } from '../../core/rng.ts'
import * as tf from '../../core/tf.ts'

/**
 * White-box access to a classifier as its noisy copies see it: every answer is the mean over `samples` fresh
 * draws of N(0, σ²I). Hand it to any attack, and the attack climbs the *expected* loss under the noise
 * (expectation over transformations, Athalye et al. 2018, arXiv:1802.00420 §4.2), which is what an attack on a
 * smoothed classifier has to climb. Same seed and the same questions in the same order, same answers.
 */
export function underNoise(
  base: WhiteBoxAccess,
  { sigma, samples }: { sigma: number; samples: number },
  seed: number,
): WhiteBoxAccess {
  if (!(sigma >= 0 && Number.isFinite(sigma)))
    throw new RangeError(`underNoise: sigma must be at least 0; got ${sigma}`)
  if (!(Number.isSafeInteger(samples) && samples >= 1))
    throw new RangeError(`underNoise: samples must be a whole number of at least 1; got ${samples}`)
  const rng = createRng(seed, 'under noise')
  const { inputShape, numClasses, bounds } = base
  /** Each row `samples` times in a row, each time with noise of its own. */
  const noisyCopies = (x: tf.Tensor) =>
    tf.tidy(() => {
      const [rows, ...shape] = x.shape as [number, ...number[]]
      const copies = tf.tile(tf.expandDims(x, 1), [1, samples, ...shape.map(() => 1)])
      const noise = addNoise(new Float32Array(copies.size), sigma, rng)
      return tf.reshape(tf.add(copies, tf.tensor(noise, copies.shape)), [rows * samples, ...shape])
    })
  const mean = (y: tf.Tensor) =>
    tf.tidy(() => tf.mean(tf.reshape(y, [y.shape[0]! / samples, samples, ...y.shape.slice(1)]), 1))
  const repeated = (values: ArrayLike<number>) =>
    Int32Array.from({ length: values.length * samples }, (_, i) => values[Math.floor(i / samples)]!)

  async function averaged(x: tf.Tensor, ask: (copies: tf.Tensor) => Promise<tf.Tensor[]>) {
    const owned = [noisyCopies(x)]
    try {
      const answers = await ask(owned[0]!)
      owned.push(...answers)
      return answers.map(mean)
    } finally {
      tf.dispose(owned)
    }
  }

  return {
    inputShape,
    numClasses,
    bounds,
    async logits(x) {
      return (await averaged(x, async (copies) => [await base.logits(copies)]))[0]!
    },
    async lossAndGradient(x, y, loss) {
      const spec = loss?.kind === 'dlr' && loss.targets ? { ...loss, targets: repeated(loss.targets) } : loss
      const [losses, gradient] = await averaged(x, async (copies) => {
        const answer = await base.lossAndGradient(copies, repeated(y), spec)
        return [answer.loss, answer.gradient]
      })
      return { loss: losses!, gradient: gradient! }
    },
    async vjp(x, cotangent) {
      const weights = tf.tidy(() => {
        const [rows, classes] = cotangent.shape as [number, number]
        return tf.reshape(tf.tile(tf.expandDims(cotangent, 1), [1, samples, 1]), [rows * samples, classes])
      })
      try {
        return (await averaged(x, async (copies) => [await base.vjp(copies, weights)]))[0]!
      } finally {
        weights.dispose()
      }
    },
  }
}
