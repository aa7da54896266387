import { entry } from '../../../src/attacks/evasion/boundary.ts'
import { attackWorkload } from '../ours-attack.ts'

export const workload = attackWorkload('Boundary attack, 500 queries each', entry, {
  images: 20,
  options: { maxQueries: 500 },
})
