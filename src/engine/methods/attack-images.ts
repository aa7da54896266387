import type { Options } from '../../attacks/attack.ts'
import { findAttack } from '../../attacks/registry.ts'
import { criterionLabels } from '../../core/criteria.ts'
import { normRows } from '../../core/norms.ts'
import type { TraceStep } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import { crossEntropies } from '../../metrics/cross-entropy.ts'
import { topClasses } from '../../models/network.ts'
import {
  batchOf,
  criterionOf,
  readImages,
  remembering,
  withModel,
  type ImagesRef,
  type ModelRef,
} from '../images.ts'
import { Camera, type Film } from '../film.ts'
import { defineMethod } from '../method.ts'
import { createPace } from '../pace.ts'
import { runSmallSteps, type SmallSteps } from '../small-steps.ts'

export interface AttackImagesParams {
  model: ModelRef
  images: ImagesRef
  /** Id of an attack: a file in src/attacks/evasion/. */
  attack: string
  options: Options
  /** A class to be read as, one an image; absent, any wrong class will do. */
  targets?: number[]
  seed: number
  /** Repeats the attack in small steps within its epsilon. */
  small?: SmallSteps
  /** Of a single image, keeps this many frames of the way. */
  film?: number
}

/** Everything about one attack on N images; arrays are row-major, C is the number of classes. */
export interface AttackImagesResult {
  /** The originals, the adversarial images, and their difference. */
  pixels: Float32Array
  adversarial: Float32Array
  delta: Float32Array
  /** Of the loss below, with respect to the original pixels. */
  gradient: Float32Array
  /** [N, height, width, channels]. */
  shape: number[]
  labels: Int32Array
  /** N × C, before softmax. */
  logitsBefore: Float32Array
  logitsAfter: Float32Array
  readBefore: Int32Array
  readAfter: Int32Array
  /** Cross-entropy of the label, or of the target when the attack has one. */
  lossBefore: Float32Array
  lossAfter: Float32Array
  /** Size of each image's delta. */
  l2: Float32Array
  linf: Float32Array
  /** Of the first batch. */
  trace: TraceStep[]
  /** The way of a single image, when it was asked for and there was one. */
  film?: Film
}

const batchRows = 64

/** Runs an attack on images and tells all that a gallery, a magnifier or a bar chart wants to know. */
export const method = defineMethod<AttackImagesParams, AttackImagesResult>({
  name: 'attack-images',
  runsOn: ['engine'],
  run: (
    { model: ref, images: imagesRef, attack, options, targets, seed, small, film },
    { signal, progress },
    workshop,
  ) =>
    withModel(workshop, ref, async (model) => {
      const entry = findAttack(attack)
      const images = await readImages(workshop, imagesRef, model)
      const criterion = criterionOf(images.labels, targets)
      const rows = images.shape[0]!
      const classes = model.numClasses
      const result: AttackImagesResult = {
        ...images,
        adversarial: new Float32Array(images.pixels.length),
        delta: new Float32Array(images.pixels.length),
        gradient: new Float32Array(images.pixels.length),
        logitsBefore: new Float32Array(rows * classes),
        logitsAfter: new Float32Array(rows * classes),
        readBefore: new Int32Array(0),
        readAfter: new Int32Array(0),
        lossBefore: new Float32Array(0),
        lossAfter: new Float32Array(0),
        l2: new Float32Array(rows),
        linf: new Float32Array(rows),
        trace: [],
      }
      const size = images.pixels.length / rows
      const breathe = createPace(signal)
      const camera = film !== undefined && rows === 1 ? new Camera() : undefined
      for (let from = 0; from < rows; from += batchRows) {
        await breathe()
        const to = Math.min(rows, from + batchRows)
        const batch = batchOf(images, criterion, from, to)
        const owned: tf.Tensor[] = [batch.x]
        const access = remembering(model, breathe)
        try {
          const onStep = (done: number, total: number, values?: Record<string, number>) =>
            progress(from + ((to - from) * done) / total, rows, values)
          const { adversarial, trace } = await runSmallSteps(
            entry,
            camera?.around(access) ?? access,
            batch.x,
            batch.criterion,
            options,
            small,
            { seed: seed + from, signal, onStep },
          )
          owned.push(adversarial)
          const { loss, gradient } = await access.lossAndGradient(batch.x, criterionLabels(batch.criterion))
          owned.push(loss, gradient)
          const delta = tf.sub(adversarial, batch.x)
          const l2 = normRows(delta, 'l2')
          const linf = normRows(delta, 'linf')
          owned.push(delta, l2, linf)
          if (from === 0) result.trace = trace
          result.adversarial.set(await adversarial.data(), from * size)
          result.delta.set(await delta.data(), from * size)
          result.gradient.set(await gradient.data(), from * size)
          result.l2.set(await l2.data(), from)
          result.linf.set(await linf.data(), from)
          result.logitsBefore.set(await model.logitsArray(batch.x), from * classes)
          result.logitsAfter.set(await model.logitsArray(adversarial), from * classes)
        } finally {
          access.forget()
          tf.dispose(owned)
        }
        progress(to, rows)
      }
      const steps = small?.steps ?? (typeof options.steps === 'number' ? options.steps : undefined)
      const way = { original: images.pixels, result: result.adversarial, steps }
      const developed = await camera?.develop(film!, way, model, criterionLabels(criterion))
      const loss = (logits: Float32Array) => crossEntropies(logits, criterionLabels(criterion), classes)
      return {
        ...result,
        readBefore: topClasses(result.logitsBefore, classes),
        readAfter: topClasses(result.logitsAfter, classes),
        lossBefore: loss(result.logitsBefore),
        lossAfter: loss(result.logitsAfter),
        ...(developed ? { film: developed } : {}),
      }
    }),
  transfer: (result) =>
    Object.values(result).flatMap((value) =>
      ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : [],
    ),
})
