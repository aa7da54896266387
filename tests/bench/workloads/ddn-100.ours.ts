import { entry } from '../../../src/attacks/evasion/ddn.ts'
import { attackWorkload } from '../ours-attack.ts'

export const workload = attackWorkload('DDN, 20 steps', entry, { options: { steps: 20 } })
