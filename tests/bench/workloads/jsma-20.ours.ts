import { entry } from '../../../src/attacks/evasion/jsma.ts'
import { attackWorkload } from '../ours-attack.ts'

export const workload = attackWorkload('JSMA, up to 24 pixels', entry, {
  images: 20,
  options: { gamma: 0.03 },
})
