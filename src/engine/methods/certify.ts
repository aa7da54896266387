import { addNoise } from '../../core/gaussian.ts'
import { PerturbError } from '../../core/errors.ts'
import { createRng } from '../../core/rng.ts'
import * as tf from '../../core/tf.ts'
import type { Certificate, CertifyOptions } from '../../defences/certification/certificate.ts'
import { certify } from '../../defences/certification/randomised-smoothing.ts'
import { readImages, withModel, type ImagesRef, type ModelRef } from '../images.ts'
import { defineMethod } from '../method.ts'

export interface CertifyParams extends CertifyOptions {
  model: ModelRef
  images: ImagesRef
  seed: number
  /** Show this many noisy copies of the image at `row`, and what the model says to each. */
  look?: { row: number; copies: number }
}

export interface Certified {
  certificates: Certificate[]
  labels: Int32Array
  look?: Look
}

/** More than this nobody looks at. */
const mostCopies = 256

/** Noisy copies of one image, row-major, unclipped; what is read in each. */
export interface Look {
  row: number
  pixels: Float32Array
  /** [copies, height, width, channels]. */
  shape: number[]
  read: Int32Array
}

/** Throws `bad-input` for an image that is not there, or no copies of it. */
function checkLook({ row, copies }: NonNullable<CertifyParams['look']>, rows: number): void {
  const whole = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most
  if (!whole(row, 0, rows - 1))
    throw new PerturbError('bad-input', `certify: look.row must be from 0 to ${rows - 1}; got ${row}`)
  if (!whole(copies, 1, mostCopies))
    throw new PerturbError('bad-input', `certify: look.copies must be from 1 to ${mostCopies}; got ${copies}`)
}

/** Certificates of images under noise, and a look at the copies that vote. */
export const method = defineMethod<CertifyParams, Certified>({
  name: 'certify',
  runsOn: ['engine'],
  run: ({ model: ref, images: imagesRef, seed, look, sigma, n0, n, alpha }, { signal, progress }, workshop) =>
    withModel(workshop, ref, async (model) => {
      const { pixels, shape, labels } = await readImages(workshop, imagesRef, model)
      if (look) checkLook(look, shape[0]!)
      const x = tf.tensor(pixels, shape)
      const owned: tf.Tensor[] = [x]
      try {
        const run = { seed, signal, onStep: progress }
        const certificates = await certify(model, x, { sigma, n0, n, alpha }, run)
        if (!look) return { certificates, labels }
        const { row, copies } = look
        const size = pixels.length / shape[0]!
        const seen = new Float32Array(copies * size)
        for (let i = 0; i < copies; i++) seen.set(pixels.subarray(row * size, (row + 1) * size), i * size)
        addNoise(seen, sigma, createRng(seed, 'look'))
        const seenShape = [copies, ...shape.slice(1)]
        const noisy = tf.tensor(seen, seenShape)
        owned.push(noisy)
        const read = await model.predict(noisy)
        return { certificates, labels, look: { row, pixels: seen, shape: seenShape, read } }
      } finally {
        tf.dispose(owned)
      }
    }),
  transfer: ({ look }) => (look ? [look.pixels.buffer as ArrayBuffer] : []),
})
