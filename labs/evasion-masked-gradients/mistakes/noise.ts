// finding: random-direction
// checkpoint: broken
import { tf, type WhiteBox } from 'lab'

export function seeThrough(victim: WhiteBox, inner: WhiteBox): WhiteBox {
  return {
    ...victim,
    async lossAndGradient(x, y) {
      const { loss } = await inner.lossAndGradient(x, y, { kind: 'margin' })
      return { loss, gradient: tf.randomNormal(x.shape) }
    },
  }
}
