// finding: descended
// checkpoint: broken
import { tf, type WhiteBox } from 'lab'

export function seeThrough(victim: WhiteBox, inner: WhiteBox): WhiteBox {
  return {
    ...victim,
    async lossAndGradient(x, y) {
      const rounded = tf.div(tf.round(tf.mul(x, 3)), 3)
      const { loss, gradient } = await inner.lossAndGradient(rounded, y, { kind: 'margin' })
      return { loss, gradient: tf.neg(gradient) }
    },
  }
}
