import { mlp } from '../architectures.ts'
import { trainingWorkload } from '../ours-model.ts'

export const workload = trainingWorkload('One training step of an MLP, 64 digits', mlp)
