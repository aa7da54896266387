// finding: saturated
// checkpoint: broken
import { tf, type WhiteBox } from 'lab'

export function seeThrough(victim: WhiteBox, inner: WhiteBox): WhiteBox {
  return {
    ...victim,
    async lossAndGradient(x, y) {
      // Past the rounding, into a softmax that is certain.
      return inner.lossAndGradient(tf.div(tf.round(tf.mul(x, 3)), 3), y)
    },
  }
}
