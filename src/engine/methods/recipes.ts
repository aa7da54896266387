import { recipeInfo, trainingRecipes, type RecipeInfo } from '../../defences/training/registry.ts'
import { defineMethod } from '../method.ts'

/** Every way to train with the parameters that draw its knobs; the page never loads the recipes themselves. */
export const method = defineMethod<unknown, RecipeInfo[]>({
  name: 'recipes',
  runsOn: ['engine'],
  run: async () => [...trainingRecipes.values()].map(recipeInfo),
})
