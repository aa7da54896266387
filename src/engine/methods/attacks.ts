import type { AttackFamily } from '../../attacks/attack.ts'
import { attackInfo, attacksOf, type AttackInfo } from '../../attacks/registry.ts'
import { defineMethod } from '../method.ts'

/**
 * Every attack of a family (evasion unless another is named) with the parameters that draw its knobs; the
 * page never loads the attacks themselves.
 */
export const method = defineMethod<{ family?: AttackFamily } | undefined, AttackInfo<AttackFamily>[]>({
  name: 'attacks',
  runsOn: ['engine'],
  run: async (params) => [...attacksOf(params?.family ?? 'evasion').values()].map(attackInfo),
})
