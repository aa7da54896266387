import { PerturbError } from '../core/errors.ts'
import type { Architecture } from './model.ts'
import { isSeeded, seededModel } from './seeded.ts'

/** How a shipped model is trained; `npm run train` and the live training in the browser both read it. */
export interface Recipe {
  architecture: Architecture
  /** One line for the model card. */
  summary: string
  /** For the card: what this model is worst at, and what it must not be used for. */
  knownProblems: string
  dataset: string
  epochs: number
  batchSize: number
  /** Peak of the one-cycle rate. */
  learningRate: number
  seed: number
}

const modules = import.meta.glob<Recipe>('./recipes/*.ts', { eager: true, import: 'recipe' })

/** Every shipped model's recipe by name: one file in recipes/ is one model, and nothing else has to be edited. */
export const recipes: Readonly<Record<string, Recipe>> = collectRecipes(modules)

/** Throws PerturbError `missing` for a name that no recipe has. */
export function recipe(name: string): Recipe {
  const found = Object.hasOwn(recipes, name) ? recipes[name] : undefined
  if (!found)
    throw new PerturbError('missing', `no model "${name}"; the models are ${Object.keys(recipes).join(', ')}`)
  return found
}

/** The layers of a shipped model, or of one that is trained from a seed. Throws `missing` for a name that neither has. */
export const architectureOf = (name: string): Architecture =>
  isSeeded(name) ? seededModel(name).architecture : recipe(name).architecture

/** Throws when a file exports no `recipe`, or its architecture has another name than the file. */
export function collectRecipes(files: Record<string, Recipe | undefined>): Record<string, Recipe> {
  return Object.fromEntries(
    Object.entries(files).map(([path, found]) => {
      const [, name] = /([^/]+)\.ts$/.exec(path)!
      if (!found) throw new Error(`${path}: a recipe's file must export it as \`recipe\``)
      if (found.architecture.name !== name)
        throw new Error(
          `${path}: the architecture's name must be the file's, "${name}"; got "${found.architecture.name}"`,
        )
      return [name, found]
    }),
  )
}
