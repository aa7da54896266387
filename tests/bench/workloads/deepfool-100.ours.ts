import { entry } from '../../../src/attacks/evasion/deepfool.ts'
import { attackWorkload } from '../ours-attack.ts'

export const workload = attackWorkload('DeepFool, 10 classes', entry, { options: {} })
