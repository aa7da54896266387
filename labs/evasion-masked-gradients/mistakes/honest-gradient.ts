// finding: zero-gradient
// checkpoint: broken
import type { WhiteBox } from 'lab'

export function seeThrough(victim: WhiteBox): WhiteBox {
  return {
    ...victim,
    async lossAndGradient(x, y) {
      // The vendor's own evaluation: the gradient of a staircase.
      return victim.lossAndGradient(x, y)
    },
  }
}
