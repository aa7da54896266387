// finding: saturated
// checkpoint: broken
import type { WhiteBox } from 'lab'

export function seeThrough(victim: WhiteBox, inner: WhiteBox): WhiteBox {
  return {
    ...victim,
    async lossAndGradient(x, y) {
      return inner.lossAndGradient(x, y)
    },
  }
}
