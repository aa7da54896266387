import { mlp } from '../architectures.ts'
import { trainingWorkload } from '../ours-model.ts'

export const workload = trainingWorkload('16 small MLPs, 20 steps each', mlp, 20, 16)
