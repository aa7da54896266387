/** Finds the attacks: one file in a family's folder is one attack, and nothing else has to be edited. */
import { PerturbError } from '../core/errors.ts'
import type { AttackEntry, AttackFamily, EntryOf } from './attack.ts'

const modules = import.meta.glob<Record<string, unknown>>('./{evasion,poisoning,extraction,inference}/*.ts', {
  eager: true,
})

/** What a page may know of an attack: everything but the code. Plain JSON. */
export type AttackInfo<F extends AttackFamily = 'evasion'> = Omit<EntryOf<F>, 'run'>

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

/** Throws when a file exports no `entry`, an id is not its file's name, or two files share an id. */
export function collectAttacks(files: Record<string, Record<string, unknown>>): Map<string, AttackEntry> {
  const found = new Map<string, AttackEntry>()
  for (const [path, module] of Object.entries(files)) {
    const [, family, name] = /([^/]+)\/([^/]+)\.ts$/.exec(path)!
    const entry = module.entry as AttackEntry | undefined
    if (!entry?.id)
      throw new Error(
        `${path}: an attack file must export its AttackEntry as \`entry\`; move helpers to src/core`,
      )
    if (entry.id !== name)
      throw new Error(`${path}: the entry's id must be the file's name, "${name}"; got "${entry.id}"`)
    if (entry.family !== family)
      throw new Error(
        `${path}: the entry's family must be the folder's name, "${family}"; got "${entry.family}"`,
      )
    if (found.has(entry.id))
      throw new Error(`${path}: the attack id "${entry.id}" is taken by another file; rename one`)
    const names = new Set(entry.parameters.map((parameter) => parameter.name))
    for (const key of Object.keys(entry.defaults))
      if (!names.has(key))
        throw new Error(`${path}: the default "${key}" has no parameter that draws its knob`)
    for (const key of names)
      if (!(key in entry.defaults)) throw new Error(`${path}: the parameter "${key}" has no default`)
    found.set(entry.id, entry)
  }
  return found
}
