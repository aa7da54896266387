import { entry } from '../../../src/attacks/evasion/universal.ts'
import { attackWorkload } from '../ours-attack.ts'

export const workload = attackWorkload('Universal perturbation, one pass', entry, {
  images: 20,
  options: { passes: 1 },
})
