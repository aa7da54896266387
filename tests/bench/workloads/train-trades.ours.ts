import { entry } from '../../../src/defences/training/trades.ts'
import { recipeWorkload } from '../ours-attack.ts'

export const workload = recipeWorkload(entry)
