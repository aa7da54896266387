import * as tf from '../../core/tf.ts'
import { topClasses } from '../../models/network.ts'
import { batchOf, checkPixels, criterionOf, withModel, type ModelRef } from '../images.ts'
import { defineMethod } from '../method.ts'
import { createPace } from '../pace.ts'

export interface PredictParams extends ModelRef {
  pixels: Float32Array
  /** [N, height, width, channels]. */
  shape: number[]
}

export interface Prediction {
  /** N × classes, row-major, before softmax. */
  logits: Float32Array
  /** Top class of each image. */
  read: Int32Array
}

const batchRows = 256

/** What a model reads in each image. */
export const method = defineMethod<PredictParams, Prediction>({
  name: 'predict',
  runsOn: ['engine', 'referee'],
  run: ({ pixels, shape, ...ref }, { signal, progress }, workshop) =>
    withModel(workshop, ref, async (model) => {
      checkPixels({ pixels, shape }, model)
      const rows = shape[0]!
      const images = { pixels, shape, labels: new Int32Array(rows) }
      const criterion = criterionOf(images.labels, undefined)
      const logits = new Float32Array(rows * model.numClasses)
      const breathe = createPace(signal)
      for (let from = 0; from < rows; from += batchRows) {
        await breathe()
        const to = Math.min(rows, from + batchRows)
        const { x } = batchOf(images, criterion, from, to)
        try {
          logits.set(await model.logitsArray(x), from * model.numClasses)
        } finally {
          tf.dispose(x)
        }
        progress(to, rows)
      }
      return { logits, read: topClasses(logits, model.numClasses) }
    }),
  transfer: ({ logits, read }) => [logits.buffer as ArrayBuffer, read.buffer as ArrayBuffer],
})
