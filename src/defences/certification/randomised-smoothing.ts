/**
 * Randomised smoothing (Cohen, Rosenfeld, Kolter 2019, arXiv:1902.02918). A base classifier f that is sure of
 * its answer under Gaussian noise becomes a smoothed classifier g(x) = the answer f gives most often on
 * x + N(0, σ²I), and no change of L2 norm below R = σ·Φ⁻¹(p̲) turns g's answer, where p̲ bounds the
 * probability of that answer from below (Theorem 1 with p̄_B = 1 − p̲).
 *
 * x: (N, …inputShape), pixels in the base's bounds; noise is *not* clipped, since the theorem needs all of it.
 * A radius is in the units of the pixels. Everything said holds with probability 1 − alpha for each image by
 * itself. Every function borrows x and throws RangeError for a sigma, a count or an alpha that makes no sense,
 * and `cancelled` when stopped. Same seed, same votes on the same backend: an image's noise depends on its row
 * and not on how many come with it.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { addNoise } from '../../core/gaussian.ts'
import { nextTask, now } from '../../core/platform.ts'
import { createRng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import {
  certificate,
  checkAlpha,
  checkNoise,
  winner,
  type Certificate,
  type CertifyOptions,
} from './certificate.ts'

/** The classifier under the noise: scores are all that is asked of it. */
export type Base = Pick<WhiteBoxAccess, 'inputShape' | 'numClasses' | 'logits'>

/** Noisy rows computed at once. */
const block = 256

/** SampleUnderNoise: for each image, how often the base gives each answer on n noisy copies. */
export async function sampleUnderNoise(
  base: Base,
  x: tf.Tensor,
  { sigma, n }: { sigma: number; n: number },
  run: RunContext,
): Promise<Int32Array[]> {
  checkNoise('sampleUnderNoise', sigma)
  checkCount('sampleUnderNoise', 'n', n)
  const images = x.shape[0]!
  const size = images === 0 ? 0 : x.size / images
  const pixels = await x.data()
  const noise = Array.from({ length: images }, (_, i) => createRng(run.seed, `noise ${i}`))
  const counts = noise.map(() => new Int32Array(base.numClasses))
  const total = images * n
  const tops: tf.Tensor[] = []
  let paused = now()
  try {
    for (let from = 0; from < total; from += block) {
      throwIfCancelled(run)
      const rows = Math.min(block, total - from)
      const noisy = new Float32Array(rows * size)
      for (let row = 0; row < rows; row++) {
        const image = Math.floor((from + row) / n)
        const copy = noisy.subarray(row * size, (row + 1) * size)
        copy.set(pixels.subarray(image * size, (image + 1) * size))
        addNoise(copy, sigma, noise[image]!)
      }
      const input = tf.tensor(noisy, [rows, ...base.inputShape])
      const logits = await base.logits(input).finally(() => input.dispose())
      tops.push(tf.argMax(logits, 1))
      logits.dispose()
      run.onStep?.(from + rows, total)
      if (now() - paused > 40) {
        await nextTask()
        paused = now()
      }
    }
    for (const [t, top] of tops.entries())
      (await top.data()).forEach((answer, row) => counts[Math.floor((t * block + row) / n)]![answer]!++)
    return counts
  } finally {
    tf.dispose(tops)
  }
}

/**
 * Predict: the smoothed classifier's answer, or `abstain` when the votes of the two first could be a fair
 * coin's (two-sided binomial test at alpha).
 */
export async function predict(
  base: Base,
  x: tf.Tensor,
  { sigma, n, alpha }: Omit<CertifyOptions, 'n0'>,
  run: RunContext,
): Promise<number[]> {
  checkAlpha('predict', alpha)
  return (await sampleUnderNoise(base, x, { sigma, n }, run)).map((counts) => winner(counts, alpha))
}

/**
 * Certify: n0 noisy copies choose the answer, n fresh ones bound its probability. Choosing and counting on
 * the same copies would favour whatever was lucky there.
 */
export async function certify(
  base: Base,
  x: tf.Tensor,
  { sigma, n0, n, alpha }: CertifyOptions,
  run: RunContext,
): Promise<Certificate[]> {
  checkAlpha('certify', alpha)
  checkCount('certify', 'n', n)
  checkCount('certify', 'n0', n0)
  const total = x.shape[0]! * (n0 + n)
  const part = (name: string, before: number): RunContext => ({
    ...run,
    seed: createRng(run.seed, name).uint32(),
    onStep: run.onStep && ((done) => run.onStep!(before + done, total)),
  })
  const first = await sampleUnderNoise(base, x, { sigma, n: n0 }, part('choose', 0))
  const chosen = first.map((counts) => counts.indexOf(Math.max(...counts)))
  const counts = await sampleUnderNoise(base, x, { sigma, n }, part('count', x.shape[0]! * n0))
  return chosen.map((answer, i) => certificate(answer, counts[i]![answer]!, { sigma, n, alpha }))
}

function checkCount(name: string, what: string, count: number): void {
  if (!(Number.isSafeInteger(count) && count >= 1))
    throw new RangeError(`${name}: ${what} must be a whole number of at least 1; got ${count}`)
}
