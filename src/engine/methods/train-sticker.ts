import { trainPatch, type AdversarialPatchOptions } from '../../attacks/evasion/adversarial-patch.ts'
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { ascentSign } from '../../core/criteria.ts'
import type { TraceStep } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import { criterionOf, readImages, withModel, type ImagesRef, type ModelRef } from '../images.ts'
import { defineMethod } from '../method.ts'
import { createPace } from '../pace.ts'

export interface TrainStickerParams {
  model: ModelRef
  /** Pictures to train on. */
  images: ImagesRef
  /** What every picture with the sticker shall be read as; without it, anything wrong. */
  target?: number
  options: Partial<AdversarialPatchOptions>
  seed: number
}

export interface TrainedSticker {
  /** The sticker, row-major: handed in as it is. */
  adversarial: Float32Array
  /** [1, side, side, channels]. */
  shape: number[]
  /** The mean loss before each step; `toTarget`: it is to fall. */
  trace: TraceStep[]
  toTarget: boolean
}

/** Paints one sticker for all pictures, by expectation over placements; progress carries the loss. */
export const method = defineMethod<TrainStickerParams, TrainedSticker>({
  name: 'train-sticker',
  runsOn: ['engine', 'referee'],
  run: ({ model: ref, images: imagesRef, target, options, seed }, { signal, progress }, workshop) =>
    withModel(workshop, ref, async (model) => {
      const images = await readImages(workshop, imagesRef, model)
      const targets = target === undefined ? undefined : new Int32Array(images.labels.length).fill(target)
      const criterion = criterionOf(images.labels, targets)
      const x = tf.tensor(images.pixels, images.shape, 'float32')
      const breathe = createPace(signal)
      const access: WhiteBoxAccess = {
        ...model,
        async lossAndGradient(pictures, y, loss) {
          await breathe()
          return model.lossAndGradient(pictures, y, loss)
        },
      }
      try {
        const { pixels, shape, trace } = await trainPatch(access, x, criterion, options, {
          seed,
          signal,
          onStep: progress,
        })
        return { adversarial: pixels, shape: [1, ...shape], trace, toTarget: ascentSign(criterion) < 0 }
      } finally {
        x.dispose()
      }
    }),
  transfer: ({ adversarial }) => [adversarial.buffer as ArrayBuffer],
})
