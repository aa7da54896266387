import { entry } from '../../../src/attacks/evasion/autoattack.ts'
import { attackWorkload } from '../ours-attack.ts'

// A budget that fools nobody: every part sees every row.
export const workload = attackWorkload('AutoAttack, 10 steps, 100 queries', entry, {
  images: 10,
  options: { epsilon: 1e-6, steps: 10, queries: 100 },
})
