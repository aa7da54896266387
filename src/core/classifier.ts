import type { Tensor } from './tf.ts'
import type { LossSpec } from './losses.ts'

/** Class indices, one a row. Plain so that they cross a port unchanged. */
export type Labels = ArrayLike<number>

/** What any victim tells about itself. */
export interface ClassifierInfo {
  /** Shape of one input without the batch, e.g. [28, 28, 1]. */
  readonly inputShape: readonly number[]
  readonly numClasses: number
  /** Smallest and largest legal value of an input element, [0, 1] for images. */
  readonly bounds: readonly [number, number]
}

/**
 * Full knowledge of the victim (white-box). Access is asynchronous so that one attack runs unchanged
 * next to the model (an await costs a microtask and tensors stay on the GPU) and in the sandbox (every
 * call crosses a port to the engine).
 *
 * x: (N, …inputShape). Arguments are borrowed; every returned tensor is the caller's to dispose.
 */
export interface WhiteBoxAccess extends ClassifierInfo {
  /** (N, numClasses), before softmax. */
  logits(x: Tensor): Promise<Tensor>
  /**
   * loss: (N); gradient: (N, …inputShape), of the *summed* loss, so a row's gradient does not depend on
   * its batch. The default loss is cross-entropy.
   */
  lossAndGradient(x: Tensor, y: Labels, loss?: LossSpec): Promise<{ loss: Tensor; gradient: Tensor }>
  /** Jacobianᵀ · cotangent: cotangent (N, numClasses) gives (N, …inputShape). */
  vjp(x: Tensor, cotangent: Tensor): Promise<Tensor>
}

/** Score-based black box: probabilities, every row counted in a ledger. */
export interface ScoreOracle extends ClassifierInfo {
  /** (N, numClasses) probabilities. Throws `budget-spent` before answering when N rows are not left. */
  scores(x: Tensor): Promise<Tensor>
}

/** Decision-based black box: the top class only. */
export interface DecisionOracle extends ClassifierInfo {
  decide(x: Tensor): Promise<Int32Array>
}
