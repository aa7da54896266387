import type { WhiteBoxAccess } from '../core/classifier.ts'
import type { Tensor } from '../core/tf.ts'

/** One layer of an architecture, as data. Convolutions and pools are NHWC. */
export type Layer =
  | {
      type: 'conv2d'
      filters: number
      kernelSize: number
      strides?: number
      padding: 'same' | 'valid'
      activation?: 'relu'
    }
  | { type: 'maxPool'; size: number }
  | { type: 'flatten' }
  | { type: 'dense'; units: number; activation?: 'relu' }

/** model.json in static/models/<name>/. */
export interface Architecture {
  name: string
  inputShape: number[]
  numClasses: number
  bounds: [number, number]
  /** Class names in order. */
  classes: string[]
  layers: Layer[]
}

export interface Weight {
  name: string
  shape: number[]
  values: Float32Array
}

/**
 * A network with its weights on the current backend. It is white-box access to itself; engine and
 * referee wrap it in ledgers.
 */
export interface Model extends WhiteBoxAccess {
  readonly architecture: Architecture
  /** Top class of each row, computed in batches. */
  predict(x: Tensor): Promise<Int32Array>
  /** Logits as plain numbers, row-major (N × numClasses), computed in batches. */
  logitsArray(x: Tensor): Promise<Float32Array>
  /** A copy of the weights. */
  weights(): Promise<Weight[]>
  dispose(): void
}
