// finding: zero-gradient
// checkpoint: broken
import type { WhiteBox } from 'lab'

export function seeThrough(victim: WhiteBox): WhiteBox {
  return {
    ...victim,
    async lossAndGradient(x, y) {
      // Another loss helps against large scores, but no loss has a slope through the rounding.
      return victim.lossAndGradient(x, y, { kind: 'dlr' })
    },
  }
}
