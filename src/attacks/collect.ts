import type { AttackEntry } from './attack.ts'

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
