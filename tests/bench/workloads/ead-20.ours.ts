import { entry } from '../../../src/attacks/evasion/ead.ts'
import { attackWorkload } from '../ours-attack.ts'

export const workload = attackWorkload('EAD, 2 searches of 50 steps', entry, {
  images: 20,
  options: { searchSteps: 2, steps: 50 },
})
