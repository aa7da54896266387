import { readOptions } from '../../attacks/check.ts'
import { reading } from '../../defences/training/harden.ts'
import type { RecipeOptions } from '../../defences/training/recipe.ts'
import { findRecipe } from '../../defences/training/registry.ts'
import { defineMethod } from '../method.ts'

export interface TrainingBaselineParams {
  model: string
  dataset: string
  recipe: string
  options: Record<string, number>
}

/** What a training by this recipe would be watched by, read on the shipped model: shares from 0 to 1, by figure. */
export const method = defineMethod<TrainingBaselineParams, Record<string, number>>({
  name: 'training-baseline',
  runsOn: ['engine'],
  async run({ model, dataset, recipe: id, options }, { signal }, workshop) {
    const recipe = findRecipe(id)
    const { test } = await workshop.dataset(dataset)
    const read = readOptions(recipe, options) as RecipeOptions
    return reading(await workshop.model(model), test, recipe, read, 0, { seed: 0, signal })
  },
})
