import type { Architecture } from '../../../src/models/model.ts'
import { digitsCnn } from '../architectures.ts'
import { trainingWork } from '../ours-model.ts'
import type { Growth } from '../workload.ts'

/** digits-cnn with the second convolution this many channels wide, on which most of its products depend. */
const widened = (filters: number): Architecture => {
  let convolutions = 0
  const layers = digitsCnn.layers.map((layer) =>
    layer.type === 'conv2d' && ++convolutions === 2 ? { ...layer, filters } : layer,
  )
  return { ...digitsCnn, name: `digits-cnn, ${filters} filters`, layers }
}

export const growth: Growth = {
  title: 'Training step, 64 digits',
  unit: 'filters in the second convolution',
  sizes: [8, 16, 32, 48, 64],
  prepare: async (filters) => trainingWork(widened(filters)),
}
