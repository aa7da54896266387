import type { Tensor } from '../core/tf.ts'

export interface Split {
  readonly count: number
  readonly labels: Uint8Array
  /** Pixels of one or more images, (n, height, width, channels) in [0, 1]; the caller disposes it. */
  images(ids: ArrayLike<number>): Tensor
  /** The same as plain numbers, row-major. */
  pixels(ids: ArrayLike<number>): Float32Array
}

/** An image data set: decoded once from its sprites, bytes kept as uint8. */
export interface DataSet {
  readonly name: string
  /** What one image shows, in one word: "digit", "sign", "face"; "image" when the header does not say. */
  readonly noun: string
  readonly shape: readonly [height: number, width: number, channels: number]
  readonly classes: readonly string[]
  readonly train: Split
  readonly test: Split
}
