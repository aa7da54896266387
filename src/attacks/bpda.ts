/**
 * Backward pass differentiable approximation: go forward through the defence as it is, and backward through
 * something smooth that is near it. Athalye, Carlini, Wagner 2018, "Obfuscated Gradients Give a False Sense of
 * Security", §4.1, arXiv:1802.00420.
 */
import type { WhiteBoxAccess } from '../core/classifier.ts'
import type { Tensor } from '../core/tf.ts'

/** A preprocessing g(x), and the smooth function that stands in for it on the way back. */
export interface Bypass {
  /** g as the defence computes it, e.g. rounding; x is borrowed, the result is ours. */
  forward(x: Tensor): Tensor
  /**
   * Jacobianᵀ of the substitute at x times the gradient at g(x); the gradient is borrowed. Left out, the
   * substitute is the identity: right whenever g(x) is near x (§4.1.1).
   */
  backward?(x: Tensor, gradient: Tensor): Tensor
}

/**
 * Access to a defended model, given access to what lies `behind` its preprocessing. Answers and losses are the
 * defended model's own; only gradients go through the substitute. Any white-box attack runs on it unchanged.
 */
export function bpda(behind: WhiteBoxAccess, { forward, backward }: Bypass): WhiteBoxAccess {
  /** Asks about g(x), and takes the gradient back to x. Both are freed here. */
  async function through<T extends { gradient: Tensor }>(
    x: Tensor,
    ask: (seen: Tensor) => Promise<T>,
  ): Promise<T> {
    const seen = forward(x)
    try {
      const answer = await ask(seen)
      if (!backward) return answer
      try {
        return { ...answer, gradient: backward(x, answer.gradient) }
      } finally {
        answer.gradient.dispose()
      }
    } finally {
      if (seen !== x) seen.dispose()
    }
  }
  return {
    inputShape: behind.inputShape,
    numClasses: behind.numClasses,
    bounds: behind.bounds,
    async logits(x) {
      const seen = forward(x)
      try {
        return await behind.logits(seen)
      } finally {
        if (seen !== x) seen.dispose()
      }
    },
    lossAndGradient: (x, y, loss) => through(x, (seen) => behind.lossAndGradient(seen, y, loss)),
    async vjp(x, cotangent) {
      const { gradient } = await through(x, async (seen) => ({
        gradient: await behind.vjp(seen, cotangent),
      }))
      return gradient
    },
  }
}
