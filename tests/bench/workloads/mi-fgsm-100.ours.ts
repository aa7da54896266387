import { entry } from '../../../src/attacks/evasion/mi-fgsm.ts'
import { attackWorkload } from '../ours-attack.ts'

export const workload = attackWorkload('MI-FGSM, 10 steps', entry, {
  options: { epsilon: 0.2, stepSize: 0.02 },
})
