import { digitsCnn } from '../architectures.ts'
import { trainingWorkload } from '../ours-model.ts'

export const workload = trainingWorkload('One training step, 64 digits', digitsCnn)
