import { pgd } from '../../attacks/evasion/pgd.ts'
import * as tf from '../../core/tf.ts'
import { abstain } from '../../defences/certification/certificate.ts'
import { predict } from '../../defences/certification/randomised-smoothing.ts'
import { underNoise } from '../../defences/certification/under-noise.ts'
import { readImages, withModel, type ImagesRef, type ModelRef } from '../images.ts'
import { defineMethod } from '../method.ts'

export interface AttackSmoothedParams {
  model: ModelRef
  images: ImagesRef
  /** Deviation of the noise that the vote is taken under, and that the attack climbs through. */
  sigma: number
  /** Votes a reading. */
  n: number
  alpha: number
  /** L2 lengths to attack at. */
  radii: number[]
  seed: number
}

/** At one length: images whose vote is wrong, and whose vote settles nothing, out of `count`. */
export interface SmoothedPoint {
  radius: number
  misread: number
  undecided: number
  count: number
}

const steps = 10
const draws = 8

/** Attacks the vote itself: PGD in L2 on the mean gradient of noisy copies, at one length after another. */
export const method = defineMethod<AttackSmoothedParams, { points: SmoothedPoint[] }>({
  name: 'attack-smoothed',
  runsOn: ['engine'],
  run: ({ model: ref, images: imagesRef, sigma, n, alpha, radii, seed }, { signal, progress }, workshop) =>
    withModel(workshop, ref, async (model) => {
      const { pixels, shape, labels } = await readImages(workshop, imagesRef, model)
      const x = tf.tensor(pixels, shape)
      const points: SmoothedPoint[] = []
      try {
        for (const [i, radius] of radii.entries()) {
          const part = (from: number, to: number) => (done: number, total: number) =>
            progress(i + from + ((to - from) * done) / total, radii.length)
          const { adversarial } = await pgd(
            underNoise(model, { sigma, samples: draws }, seed + i),
            x,
            { kind: 'misclassification', labels },
            { norm: 'l2', epsilon: radius, steps, stepSize: (2.5 * radius) / steps },
            { seed, signal, onStep: part(0, 0.6) },
          )
          try {
            const run = { seed: seed + 1, signal, onStep: part(0.6, 1) }
            const read = await predict(model, adversarial, { sigma, n, alpha }, run)
            points.push({
              radius,
              misread: read.filter((answer, row) => answer !== abstain && answer !== labels[row]).length,
              undecided: read.filter((answer) => answer === abstain).length,
              count: read.length,
            })
          } finally {
            adversarial.dispose()
          }
        }
        return { points }
      } finally {
        x.dispose()
      }
    }),
})
