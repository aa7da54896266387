import type { Tensor } from '../core/tf.ts'
import type { SplitRatings } from './ratings.ts'

export interface Split {
  readonly count: number
  readonly labels: Uint8Array
  /** Pixels of one or more images, (n, height, width, channels) in [0, 1]; the caller disposes it. */
  images(ids: ArrayLike<number>): Tensor
  /** The same as plain numbers, row-major. */
  pixels(ids: ArrayLike<number>): Float32Array
}

/** What one number of a table's row is, and what its 0 and its 1 stand for. */
export interface Feature {
  name: string
  title: string
  unit?: string
  /** `log1p`: low and high are ln(1 + value); `flag`: 0 is no, 1 is yes. */
  scale: 'linear' | 'log1p' | 'flag'
  low: number
  high: number
}

/** The value on its own scale, from one as the model reads it: in [0, 1], or in deviations from the mean. */
export function featureValue({ scale, low, high }: Feature, stored: number): number {
  const value = low + (high - low) * stored
  return scale === 'log1p' ? Math.expm1(value) : value
}

/** A data set: images, decoded once from their sprites and kept as uint8, or the rows of a table, as pictures of height 1. */
export interface DataSet {
  readonly name: string
  /** What one image shows, in one word: "digit", "sign", "face"; "image" when the header does not say. */
  readonly noun: string
  /** A row of a table is [1, 1, measurements]. */
  readonly shape: readonly [height: number, width: number, channels: number]
  readonly classes: readonly string[]
  /** Of a table: what each number of a row is; a picture's pixels have none. */
  readonly features?: readonly Feature[]
  /** Made by a program that invents it, and to be called so wherever it is shown. */
  readonly isSimulated?: boolean
  /** Of a catalogue, whose items are the training split: what shoppers said of them. */
  readonly ratings?: SplitRatings
  readonly train: Split
  readonly test: Split
}
