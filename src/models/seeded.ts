import type { DataSet } from '../data/data-set.ts'
import { PerturbError } from '../core/errors.ts'
import type { Architecture, Weight } from './model.ts'

/**
 * A model that is trained from a seed where it is needed, in the engine and on the referee alike. Its weights lie in no
 * file, so there is none to steal by reading. The training must take a second or two at most. One that tfjs computes differs
 * in its last digits from backend to backend, and training makes much of little: the page hands the referee's weights to
 * the engine, so that both speak of one victim.
 */
export interface SeededModel {
  architecture: Architecture
  dataset: string
  train(data: DataSet, seed: number): Promise<Weight[]>
}

const modules = import.meta.glob<SeededModel>('./seeded/*.ts', { eager: true, import: 'seeded' })

const byName: Readonly<Record<string, SeededModel>> = Object.fromEntries(
  Object.values(modules).map((model) => [model.architecture.name, model]),
)

export const isSeeded = (name: string): boolean => Object.hasOwn(byName, name)

/** Throws `missing` for a name that no file of seeded/ has. */
export function seededModel(name: string): SeededModel {
  const found = isSeeded(name) ? byName[name] : undefined
  if (!found)
    throw new PerturbError(
      'missing',
      `no model "${name}" is trained from a seed; there are ${Object.keys(byName).join(', ')}`,
    )
  return found
}
