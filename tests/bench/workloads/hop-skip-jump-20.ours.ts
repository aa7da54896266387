import { entry } from '../../../src/attacks/evasion/hop-skip-jump.ts'
import { attackWorkload } from '../ours-attack.ts'

export const workload = attackWorkload('HopSkipJump, 500 queries each', entry, {
  images: 20,
  options: { maxQueries: 500 },
})
