import { entry } from '../../../src/defences/training/pgd-training.ts'
import { recipeWorkload } from '../ours-attack.ts'

export const workload = recipeWorkload(entry, { name: 'PGD-3 training', heavy: false, epsilon: 0.2 })
