import { entry } from '../../../src/attacks/evasion/carlini-wagner.ts'
import { attackWorkload } from '../ours-attack.ts'

export const workload = attackWorkload('Carlini–Wagner, 2 searches of 50 steps', entry, {
  images: 20,
  options: { searchSteps: 2, steps: 50 },
})
