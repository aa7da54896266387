/** The referee's own stickers: a model that is handed in is measured with one that its maker did not paint. */
import { trainPatch, type AdversarialPatchOptions } from '../attacks/evasion/adversarial-patch.ts'
import type { PictureShape } from '../core/placement.ts'
import * as tf from '../core/tf.ts'
import type { Model } from '../models/model.ts'

export interface Sticker {
  /** Row-major. */
  pixels: Float32Array
  shape: PictureShape
}

/** A sticker that makes the model read `target`, trained on these pictures; nothing of it is left on the device. */
export async function refereeSticker(
  model: Model,
  pictures: Float32Array,
  target: number,
  options: Partial<AdversarialPatchOptions>,
  seed: number,
): Promise<Sticker> {
  const size = model.inputShape.reduce((product, side) => product * side, 1)
  const count = pictures.length / size
  const x = tf.tensor(pictures, [count, ...model.inputShape], 'float32')
  try {
    const targets = new Int32Array(count).fill(target)
    const { pixels, shape } = await trainPatch(model, x, { kind: 'targeted', targets }, options, { seed })
    return { pixels, shape }
  } finally {
    x.dispose()
  }
}
