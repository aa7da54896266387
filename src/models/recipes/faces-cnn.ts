import type { Recipe } from '../architectures.ts'

export const recipe: Recipe = {
  summary: 'A small convolutional network that tells twelve invented people apart',
  knownProblems:
    'It has no defence: small perturbations fool it, which is what it is for. It knows twelve drawn people and gives one of their names to everybody, so it says nothing about the recognition of real faces. Not for use outside this lab.',
  dataset: 'faces12',
  epochs: 20,
  batchSize: 32,
  learningRate: 4e-3,
  seed: 1,
  architecture: {
    name: 'faces-cnn',
    inputShape: [40, 40, 3],
    numClasses: 12,
    bounds: [0, 1],
    classes: [
      'Alma',
      'Bela',
      'Chidi',
      'Dara',
      'Esra',
      'Farid',
      'Greta',
      'Hugo',
      'Imani',
      'Joao',
      'Keiko',
      'Lars',
    ],
    layers: [
      { type: 'conv2d', filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' },
      { type: 'maxPool', size: 2 },
      { type: 'conv2d', filters: 32, kernelSize: 3, padding: 'same', activation: 'relu' },
      { type: 'maxPool', size: 2 },
      { type: 'conv2d', filters: 32, kernelSize: 3, padding: 'same', activation: 'relu' },
      { type: 'maxPool', size: 2 },
      { type: 'flatten' },
      { type: 'dense', units: 12 },
    ],
  },
}
