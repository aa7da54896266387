import type { Tensor } from '../core/tf.ts'

export interface Split {
  readonly count: number
  readonly labels: Uint8Array
  /** Pixels of one or more images, (n, height, width, channels) in [0, 1]; the caller disposes it. */
  images(ids: ArrayLike<number>): Tensor
  /** The same as plain numbers, row-major. */
  pixels(ids: ArrayLike<number>): Float32Array
}

/** A data set: images, decoded once from their sprites and kept as uint8, or the standardised rows of a table. */
export interface DataSet {
  readonly name: string
  /** What one image shows, in one word: "digit", "sign", "face"; "image" when the header does not say. */
  readonly noun: string
  /** A row of a table is [1, 1, measurements]. */
  readonly shape: readonly [height: number, width: number, channels: number]
  /** Names of a table's measurements; a picture's pixels have none. */
  readonly features?: readonly string[]
  readonly classes: readonly string[]
  readonly train: Split
  readonly test: Split
}
