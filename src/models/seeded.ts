import type { DataSet } from '../data/data-set.ts'
import { PerturbError } from '../core/errors.ts'
import type { Architecture, Weight } from './model.ts'

/**
 * A model that is trained from a seed where it is needed, in the engine and on the referee alike. Its weights lie in no
 * file, so there is none to steal by reading. The training must give the same weights to the last digits that matter on
 * every machine, and take well under a second.
 */
export interface SeededModel {
  architecture: Architecture
  dataset: string
  train(data: DataSet, seed: number): Weight[]
}

const modules = import.meta.glob<SeededModel>('./seeded/*.ts', { eager: true, import: 'seeded' })

const byName: Readonly<Record<string, SeededModel>> = Object.fromEntries(
  Object.values(modules).map((model) => [model.architecture.name, model]),
)

/** Throws `missing` for a name that no file of seeded/ has. */
export function seededModel(name: string): SeededModel {
  const found = Object.hasOwn(byName, name) ? byName[name] : undefined
  if (!found)
    throw new PerturbError(
      'missing',
      `no model "${name}" is trained from a seed; there are ${Object.keys(byName).join(', ')}`,
    )
  return found
}
