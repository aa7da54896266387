import { entry } from '../../../src/attacks/evasion/newton-fool.ts'
import { attackWorkload } from '../ours-attack.ts'

export const workload = attackWorkload('NewtonFool, up to 20 steps', entry, { options: { steps: 20 } })
