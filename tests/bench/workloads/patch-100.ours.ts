import { entry } from '../../../src/attacks/evasion/adversarial-patch.ts'
import { attackWorkload } from '../ours-attack.ts'

export const workload = attackWorkload('Adversarial patch, 20 steps', entry, { options: { steps: 20 } })
