import { digitsCnn } from '../architectures.ts'
import { trainingWork } from '../ours-model.ts'
import type { Growth } from '../workload.ts'

export const growth: Growth = {
  title: 'Training step of digits-cnn',
  unit: 'images in a batch',
  sizes: [16, 32, 64, 128, 256, 512],
  prepare: async (size) => trainingWork(digitsCnn, { batch: size }),
}
