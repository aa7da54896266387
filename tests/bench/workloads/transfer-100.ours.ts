import { entry } from '../../../src/attacks/evasion/transfer.ts'
import { attackWorkload, surrogate } from '../ours-attack.ts'

export const workload = attackWorkload('Transfer from a surrogate, 3 strengths of 5 steps', entry, {
  options: { tries: 3, steps: 5 },
  beside: () => ({ surrogate: surrogate() }),
})
