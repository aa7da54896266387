import { entry } from '../../../src/attacks/evasion/one-pixel.ts'
import { attackWorkload } from '../ours-attack.ts'

export const workload = attackWorkload('One-pixel attack, 5 generations of 40', entry, {
  images: 20,
  options: { population: 40, generations: 5 },
})
