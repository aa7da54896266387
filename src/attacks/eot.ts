/**
 * Expectation over transformation: where a model answers by chance, every answer and every gradient is the mean
 * over several draws. Athalye, Engstrom, Ilyas, Kwok 2018, "Synthesizing Robust Adversarial Examples", §2.1,
 * arXiv:1707.07397; against randomised defences: Athalye, Carlini, Wagner 2018, §4.2, arXiv:1802.00420.
 */
import type { WhiteBoxAccess } from '../core/classifier.ts'
import * as tf from '../core/tf.ts'

/**
 * Access whose every call asks `draws` times and gives the mean: of the logits, of the losses, of the gradients.
 * Costs `draws` times as much; of a model that does not draw it gives the same as one call.
 * Throws RangeError unless draws is a whole number of at least 1.
 */
export function eot(access: WhiteBoxAccess, draws: number): WhiteBoxAccess {
  if (!(Number.isInteger(draws) && draws >= 1))
    throw new RangeError(`eot: draws must be a whole number of at least 1; got ${draws}`)

  /** Means of what each call answers, tensor by tensor. */
  async function mean(ask: () => Promise<tf.Tensor[]>): Promise<tf.Tensor[]> {
    let sums = await ask()
    for (let i = 1; i < draws; i++) {
      let next: tf.Tensor[]
      try {
        next = await ask()
      } catch (error) {
        tf.dispose(sums)
        throw error
      }
      const added = sums.map((sum, k) => tf.add(sum, next[k]!))
      tf.dispose([...sums, ...next])
      sums = added
    }
    if (draws === 1) return sums
    const means = sums.map((sum) => tf.div(sum, draws))
    tf.dispose(sums)
    return means
  }

  return {
    inputShape: access.inputShape,
    numClasses: access.numClasses,
    bounds: access.bounds,
    logits: async (x) => (await mean(async () => [await access.logits(x)]))[0]!,
    async lossAndGradient(x, y, spec) {
      const [loss, gradient] = await mean(async () => {
        const answer = await access.lossAndGradient(x, y, spec)
        return [answer.loss, answer.gradient]
      })
      return { loss: loss!, gradient: gradient! }
    },
    vjp: async (x, cotangent) => (await mean(async () => [await access.vjp(x, cotangent)]))[0]!,
  }
}
