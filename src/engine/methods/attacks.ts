import { attackInfo, attacks, type AttackInfo } from '../../attacks/registry.ts'
import { defineMethod } from '../method.ts'

/** Every attack with the parameters that draw its knobs; the page never loads the attacks themselves. */
export const method = defineMethod<unknown, AttackInfo[]>({
  name: 'attacks',
  runsOn: ['engine'],
  run: async () => [...attacks.values()].map(attackInfo),
})
