/** The attacks of one family alone, for the sandbox: what a program cannot call is not fetched before its first run. */
import type { EvasionEntry } from './attack.ts'
import { collectAttacks } from './collect.ts'

/** Every evasion attack by id. */
export const evasionAttacks = collectAttacks(
  import.meta.glob<Record<string, unknown>>('./evasion/*.ts', { eager: true }),
) as ReadonlyMap<string, EvasionEntry>
