import { entry } from '../../../src/defences/training/noise-training.ts'
import { recipeWorkload } from '../ours-attack.ts'

export const workload = recipeWorkload(entry)
