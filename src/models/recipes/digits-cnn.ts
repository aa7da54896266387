import type { Recipe } from '../architectures.ts'

export const recipe: Recipe = {
  summary: 'A small convolutional network that reads handwritten digits',
  knownProblems:
    'It has no defence: small perturbations fool it, which is what it is for. It learned one data set of scanned digits and reads other handwriting worse. Not for use outside this lab.',
  dataset: 'mnist10k',
  epochs: 12,
  batchSize: 64,
  learningRate: 4e-3,
  seed: 1,
  architecture: {
    name: 'digits-cnn',
    inputShape: [28, 28, 1],
    numClasses: 10,
    bounds: [0, 1],
    classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    layers: [
      { type: 'conv2d', filters: 8, kernelSize: 5, padding: 'same', activation: 'relu' },
      { type: 'maxPool', size: 2 },
      { type: 'conv2d', filters: 16, kernelSize: 5, padding: 'same', activation: 'relu' },
      { type: 'maxPool', size: 2 },
      { type: 'flatten' },
      { type: 'dense', units: 10 },
    ],
  },
}
