/** Finds the recipes: one file here that exports an `entry` is one, and nothing else has to be edited. */
import { PerturbError } from '../../core/errors.ts'
import type { TrainingRecipe } from './recipe.ts'

const modules = import.meta.glob<{ entry?: TrainingRecipe }>(['./*.ts', '!./registry.ts'], { eager: true })

/** Every recipe by id. */
export const trainingRecipes: ReadonlyMap<string, TrainingRecipe> = collectRecipes(modules)

/** What a page may know of a recipe: everything but the code. Plain JSON. */
export type RecipeInfo = Omit<TrainingRecipe, 'check' | 'read' | 'prepare'>

/** Throws `missing`, naming the recipes there are. */
export function findRecipe(id: string): TrainingRecipe {
  const entry = trainingRecipes.get(id)
  if (entry) return entry
  throw new PerturbError(
    'missing',
    `no training recipe "${id}"; the recipes are ${[...trainingRecipes.keys()].join(', ')}`,
  )
}

export function recipeInfo(recipe: TrainingRecipe): RecipeInfo {
  const { check: _, read: __, prepare: ___, ...info } = recipe
  return info
}

/** Throws when an id is not its file's name, or a default has no knob. */
export function collectRecipes(
  files: Record<string, { entry?: TrainingRecipe }>,
): Map<string, TrainingRecipe> {
  const found = new Map<string, TrainingRecipe>()
  for (const [path, { entry }] of Object.entries(files)) {
    if (!entry) continue
    const name = path.slice(path.lastIndexOf('/') + 1, -'.ts'.length)
    if (entry.id !== name)
      throw new Error(`${path}: the recipe's id must be the file's name, "${name}"; got "${entry.id}"`)
    const knobs = new Set(entry.parameters.map((parameter) => parameter.name))
    for (const key of Object.keys(entry.defaults))
      if (!knobs.has(key))
        throw new Error(`${path}: the default "${key}" has no parameter that draws its knob`)
    for (const key of knobs)
      if (!(key in entry.defaults)) throw new Error(`${path}: the parameter "${key}" has no default`)
    found.set(entry.id, entry)
  }
  return found
}
