import type { AttackFamily } from '../../attacks/attack.ts'
import { attackInfo, attacksOf, type AttackInfo } from '../../attacks/registry.ts'
import { defineMethod } from '../method.ts'

/** The attacks of a family (evasion, when none is named) with the parameters that draw their knobs; the page never loads the attacks themselves. */
export const method = defineMethod<{ family?: AttackFamily } | undefined, AttackInfo[]>({
  name: 'attacks',
  runsOn: ['engine'],
  run: async (asked) =>
    [...attacksOf(asked?.family ?? 'evasion').values()].map((entry) => attackInfo(entry) as AttackInfo),
})
