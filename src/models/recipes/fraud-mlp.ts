import type { Recipe } from '../architectures.ts'

export const recipe: Recipe = {
  summary: 'A small network that tells fraud among simulated card payments from the honest ones',
  knownProblems:
    'It learned simulated payments and knows nothing of real cards. Its share of right answers says little, since two payments in a hundred are fraud: read its recall at a fixed share of false alarms. Not for use outside this lab.',
  dataset: 'transactions',
  epochs: 4,
  batchSize: 128,
  learningRate: 2e-2,
  seed: 1,
  architecture: {
    name: 'fraud-mlp',
    inputShape: [1, 15, 1],
    numClasses: 2,
    bounds: [0, 1],
    classes: ['honest', 'fraud'],
    layers: [
      { type: 'flatten' },
      { type: 'dense', units: 32, activation: 'relu' },
      { type: 'dense', units: 2 },
    ],
  },
}
