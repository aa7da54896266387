/** Finds the attacks: one file in a family's folder is one attack, and nothing else has to be edited. */
import { PerturbError } from '../core/errors.ts'
import type { AttackEntry, AttackFamily, EntryOf } from './attack.ts'
import { collectAttacks } from './collect.ts'

export { collectAttacks } from './collect.ts'

const modules = import.meta.glob<Record<string, unknown>>('./{evasion,poisoning,extraction,inference}/*.ts', {
  eager: true,
})

/** What a page may know of an attack: everything but the code. Plain JSON. */
export type AttackInfo<E extends AttackEntry = AttackEntry> = E extends AttackEntry ? Omit<E, 'run'> : never

/** Every attack by id. */
export const attacks: ReadonlyMap<string, AttackEntry> = collectAttacks(modules)

/** Every attack of one family by id. */
export function attacksOf<F extends AttackFamily>(family: F): Map<string, EntryOf<F>> {
  const own = [...attacks].filter((pair): pair is [string, EntryOf<F>] => pair[1].family === family)
  return new Map(own)
}

/** Throws `missing`, naming the attacks there are in the family. */
export function findAttack(id: string): EntryOf<'evasion'>
export function findAttack<F extends AttackFamily>(id: string, family: F): EntryOf<F>
export function findAttack(id: string, family: AttackFamily = 'evasion'): AttackEntry {
  const own = attacksOf(family)
  const entry = own.get(id)
  if (entry) return entry
  const other = attacks.get(id)
  throw new PerturbError(
    'missing',
    other
      ? `"${id}" is an attack of the family ${other.family}; expected ${family}: ${[...own.keys()].join(', ')}`
      : `no attack "${id}"; the attacks are ${[...own.keys()].join(', ')}`,
  )
}

export function attackInfo<E extends AttackEntry>({ run: _, ...info }: E): Omit<E, 'run'> {
  return info
}
