import { pasteSticker, type PictureShape, type Placement } from '../../core/placement.ts'
import * as tf from '../../core/tf.ts'
import { topClasses } from '../../models/network.ts'
import { readImages, withModel, type ImagesRef, type ModelRef } from '../images.ts'
import { defineMethod } from '../method.ts'
import { createPace } from '../pace.ts'

export interface PasteStickerParams {
  model: ModelRef
  images: ImagesRef
  sticker: Float32Array
  /** [side, side, channels]. */
  stickerShape: number[]
  /** How it lies on each image. */
  placements: Placement[]
}

export interface PastedSticker {
  /** The images with the sticker, row-major. */
  pixels: Float32Array
  /** [N, height, width, channels]. */
  shape: number[]
  /** N × classes, before softmax. */
  logits: Float32Array
  read: Int32Array
}

const batchRows = 128

/** What a model reads in images with a sticker on each. */
export const method = defineMethod<PasteStickerParams, PastedSticker>({
  name: 'paste-sticker',
  runsOn: ['engine', 'referee'],
  run: (
    { model: ref, images: imagesRef, sticker, stickerShape, placements },
    { signal, progress },
    workshop,
  ) =>
    withModel(workshop, ref, async (model) => {
      const images = await readImages(workshop, imagesRef, model)
      const [rows = 0, ...inner] = images.shape
      const pixels = pasteSticker(
        sticker,
        stickerShape as unknown as PictureShape,
        images.pixels,
        inner as unknown as PictureShape,
        placements,
      )
      const size = pixels.length / rows
      const logits = new Float32Array(rows * model.numClasses)
      const breathe = createPace(signal)
      for (let from = 0; from < rows; from += batchRows) {
        await breathe()
        const to = Math.min(rows, from + batchRows)
        const x = tf.tensor(pixels.slice(from * size, to * size), [to - from, ...inner], 'float32')
        try {
          logits.set(await model.logitsArray(x), from * model.numClasses)
        } finally {
          x.dispose()
        }
        progress(to, rows)
      }
      return { pixels, shape: images.shape, logits, read: topClasses(logits, model.numClasses) }
    }),
  transfer: ({ pixels, logits, read }) => [
    pixels.buffer as ArrayBuffer,
    logits.buffer as ArrayBuffer,
    read.buffer as ArrayBuffer,
  ],
})
